public import Netlink

/// A function that traffic of a port is led to: the switch's ends of its pair.
public struct ChainHop: Sendable, Hashable {
    public enum Way: Sendable, Hashable {
        /// In at one end and out at the other.
        case through
        /// A copy goes in; nothing comes out.
        case copy
        /// In at an interface of the switch's own, whose rules send it out of the same: `inner` to the switch, `outer` to
        /// the application. What programs send out of an interface passes no rules of nftables there, what they let in
        /// does.
        case inline
    }

    /// The index of the switch's end towards the application.
    public var inner: Int32
    /// The index of the switch's end towards the switch; 0 of one that gets copies.
    public var outer: Int32
    public var way = Way.through
    /// Whether traffic goes past it when it is gone, and does not stop.
    public var failsOpen = false
    /// What of the traffic is led to it; nil for all.
    public var classifier: Classifier?
    /// Whether frames come to it without being queued and received anew, as somebody else's: of use to what takes all
    /// frames, and not to who has addresses of its own.
    public var isDirect = true

    public init(inner: Int32, outer: Int32) { (self.inner, self.outer) = (inner, outer) }

    /// Whether no frame that comes to it goes past it.
    var takesAll: Bool { way != .copy && classifier == nil && !failsOpen }

    /// Where frames come out again.
    func exit(_ direction: SteeringRule.Direction) -> SteeringPoint {
        switch (way, direction) {
        case (.inline, .toSwitch): .output(inner)
        case (.inline, .toApplication): .output(outer)
        case (_, .toSwitch): .input(outer)
        case (_, .toApplication): .input(inner)
        }
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(inner) }
}

/// The functions between a port of a switch and its application, in the order from the application on.
///
/// The bridge knows nothing of them: what comes out of the last one goes in at the port as if it came from the
/// application, so that all that holds for the port holds for what a function makes of its traffic.
public struct ChainPath: Sendable, Equatable {
    /// The index of the port's end in the switch.
    public var port: Int32
    public var hops: [ChainHop]
    /// Whether frames for the application have to go through the port's queue: it has a rate.
    public var isQueued: Bool

    public init(port: Int32, hops: [ChainHop] = [], isQueued: Bool = false) {
        (self.port, self.hops, self.isQueued) = (port, hops, isQueued)
    }
}

/// Where it is decided on frames' way.
public struct SteeringPoint: Sendable, Hashable {
    public var link: Int32
    public var place: InterfacePrograms.Place

    static func input(_ link: Int32) -> SteeringPoint { SteeringPoint(link: link, place: .input) }
    static func output(_ link: Int32) -> SteeringPoint { SteeringPoint(link: link, place: .output) }
}

/// What is done there: a frame goes to the first of the functions that wants it, or where no function is left.
public struct SteeringRule: Sendable, Equatable {
    /// Which way frames go.
    public enum Direction: Sendable, Equatable {
        case toSwitch
        case toApplication
    }

    public enum Ending: Sendable, Equatable {
        /// Goes on as if there were no chain.
        case goOn
        /// In at the port.
        case enter(port: Int32)
        /// Out of the port, by its queue where it has one.
        case deliver(port: Int32, isQueued: Bool)
        case drop
    }

    public var direction: Direction
    /// Frames that ended at another point and come by here: they go on.
    public var lets: Mark?
    /// What it leads to or copies to, the first first.
    public var hops: [ChainHop]
    public var ending: Ending
    /// Whether frames are on their way out of an interface, and not in: what can be done with them is less.
    public var isSent = false

    public enum Mark: UInt32, Sendable {
        /// It has gone in at the port.
        case entered = 0x0B0E_0001
        /// It is for the application.
        case delivered = 0x0B0E_0002
    }

    /// For a function's ends that nothing is led to: what comes out there is dropped.
    static let closed = SteeringRule(direction: .toSwitch, lets: nil, hops: [], ending: .drop)
}

extension ChainPath {
    /// Up to the first that takes all: what is behind it is its own business.
    private static func reached(_ hops: [ChainHop]) -> [ChainHop] {
        guard let last = hops.firstIndex(where: { $0.takesAll }) else { return hops }
        return Array(hops[...last])
    }

    /// The places of those that frames come out of again.
    private var through: [Int] { hops.indices.filter { hops[$0].way != .copy } }

    /// All points with their rules, each direction's in the order in which frames come by them.
    var rules: (toSwitch: [(SteeringPoint, SteeringRule)], toApplication: [(SteeringPoint, SteeringRule)]) {
        var toSwitch = [
            (
                SteeringPoint.input(port),
                SteeringRule(direction: .toSwitch, lets: .entered, hops: ChainPath.reached(hops), ending: .goOn)
            )
        ]
        var toApplication = [
            (
                SteeringPoint.output(port),
                SteeringRule(
                    direction: .toApplication, lets: .delivered, hops: ChainPath.reached(hops.reversed()),
                    ending: .goOn, isSent: true)
            )
        ]
        for place in through {
            let rest = ChainPath.reached(Array(hops[(place + 1)...]))
            toSwitch.append(
                (
                    hops[place].exit(.toSwitch),
                    SteeringRule(
                        direction: .toSwitch, lets: nil, hops: rest, ending: .enter(port: port),
                        isSent: hops[place].way == .inline)
                ))
        }
        for place in through.reversed() {
            let rest = ChainPath.reached(hops[..<place].reversed())
            toApplication.append(
                (
                    hops[place].exit(.toApplication),
                    SteeringRule(
                        direction: .toApplication, lets: nil, hops: rest,
                        ending: .deliver(port: port, isQueued: isQueued || hops[place].way == .inline),
                        isSent: hops[place].way == .inline)
                ))
        }
        return (toSwitch, toApplication)
    }

    /// The points of the functions.
    var ends: Set<SteeringPoint> {
        Set(through.flatMap { [hops[$0].exit(.toApplication), hops[$0].exit(.toSwitch)] })
    }
}
