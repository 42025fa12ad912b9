import Glibc
import Netlink

/// A ``SteeringRule`` as a program.
struct SteeringProgram {
    private static let scratch: Int16 = -56

    static let name = "sandbox_steer"

    private let rule: SteeringRule
    private var matcher: FrameMatcher
    private var program: FrameProgram {
        get { matcher.program }
        _modify { yield &matcher.program }
    }

    private init(_ rule: SteeringRule) {
        self.rule = rule
        matcher = FrameMatcher(isOutward: rule.direction == .toSwitch)
    }

    static func make(_ rule: SteeringRule) -> FrameProgram {
        var maker = SteeringProgram(rule)
        maker.build()
        return maker.program
    }

    private mutating func build() {
        if let mark = rule.lets { letPass(mark) }
        if rule.hops.contains(where: { $0.classifier != nil }) { matcher.parse() }
        for hop in rule.hops { lead(hop) }
        // The kernel refuses what nothing leads to.
        if rule.hops.last?.takesAll != true { end() }
    }

    private mutating func letPass(_ mark: SteeringRule.Mark) {
        let others = program.label()
        program.load(.mark, into: 2)
        program.jump(if: 2, .unequal, Int32(mark.rawValue), to: others)
        program.setMark(0)
        program.end(.next)
        program.place(others)
    }

    // MARK: - Functions

    private mutating func lead(_ hop: ChainHop) {
        let past = program.label()
        if let classifier = hop.classifier { matcher.match(classifier, otherwise: past) }
        let link = rule.direction == .toSwitch || hop.way == .copy ? hop.inner : hop.outer
        if hop.way == .copy {
            program.copy(1, from: 6)
            program.set(2, link)
            program.set(3, 0)
            // What cannot be copied is no reason to hold up the frame.
            program.call(.cloneRedirect)
        } else {
            if hop.failsOpen { check(link, gone: past) }
            redirect(link, isDirect: hop.isDirect, isInward: hop.way == .inline)
        }
        program.place(past)
    }

    /// An interface that is gone is told by what is asked about it: ENODEV.
    private mutating func check(_ link: Int32, gone: FrameProgram.Label) {
        program.store(0, at: SteeringProgram.scratch)
        program.copy(1, from: 6)
        program.set(2, link)
        program.pointer(3, to: Int32(SteeringProgram.scratch))
        program.set(4, 0)
        program.set(5, 0)
        program.call(.checkMTU)
        program.jump(if: 0, .equal, -ENODEV, to: gone)
    }

    /// Straight to the other end of the pair, where the frame was received here; what is being sent takes the usual way.
    private mutating func redirect(_ link: Int32, isDirect: Bool, isInward: Bool = false) {
        program.set(1, link)
        // BPF_F_INGRESS.
        program.set(2, isInward ? 1 : 0)
        program.call(isDirect && !rule.isSent ? .redirectPeer : .redirect)
        program.end()
    }

    private mutating func end() {
        switch rule.ending {
        case .goOn: program.end(.next)
        case .drop: program.end(.drop)
        case .enter(let port):
            program.setMark(SteeringRule.Mark.entered.rawValue)
            program.set(1, port)
            // BPF_F_INGRESS.
            program.set(2, 1)
            program.call(.redirect)
            program.end()
        case .deliver(let port, isQueued: true):
            program.setMark(SteeringRule.Mark.delivered.rawValue)
            program.set(1, port)
            program.set(2, 0)
            program.call(.redirect)
            program.end()
        case .deliver(let port, isQueued: false):
            own()
            redirect(port, isDirect: true)
        }
    }

    /// On its way it can have been for somebody else (PACKET_OTHERHOST): the application is who it was sent to.
    private mutating func own() {
        let isOwn = program.label()
        program.load(.packetType, into: 2)
        program.jump(if: 2, .unequal, 3, to: isOwn)
        program.copy(1, from: 6)
        program.set(2, 0)
        program.call(.changeType)
        program.place(isOwn)
    }
}
