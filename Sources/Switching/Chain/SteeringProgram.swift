import Addresses
import Glibc
import Netlink

/// A ``SteeringRule`` as a program.
///
/// On the stack: the IPv4 or IPv6 header, and the ports before it. Register 7 has the protocol, 8 whether the ports are
/// known, 9 the family: 4, 6 or 0.
struct SteeringProgram {
    private static let header: Int16 = -40
    private static let ports: Int16 = -48
    private static let scratch: Int16 = -56
    /// Of Ethernet.
    private static let linkHeader: Int32 = 14
    /// A protocol behind IPv6's extension headers: it could be any.
    private static let hidden: Int32 = 0xFFFF

    static let name = "sandbox_steer"

    private let rule: SteeringRule
    private var program = FrameProgram()

    private init(_ rule: SteeringRule) { self.rule = rule }

    static func make(_ rule: SteeringRule) -> FrameProgram {
        var maker = SteeringProgram(rule)
        maker.build()
        return maker.program
    }

    private mutating func build() {
        if let mark = rule.lets { letPass(mark) }
        if rule.hops.contains(where: { $0.classifier != nil }) { parse() }
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
        if let classifier = hop.classifier { match(classifier, otherwise: past) }
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

    // MARK: - Classifiers

    /// Finds what clauses ask for.
    private mutating func parse() {
        let (ipv6, done) = (program.label(), program.label())
        program.set(9, 0)
        program.set(8, 0)
        program.set(7, SteeringProgram.hidden)
        program.load(.protocol, into: 2)
        program.jump(if: 2, .equal, Int32(UInt16(0x86DD).bigEndian), to: ipv6)
        program.jump(if: 2, .unequal, Int32(UInt16(0x0800).bigEndian), to: done)
        parse4(done)
        program.place(ipv6)
        parse6(done)
        program.place(done)
    }

    private mutating func parse4(_ done: FrameProgram.Label) {
        load(SteeringProgram.linkHeader, 20, to: SteeringProgram.header, failing: done)
        program.set(9, 4)
        program.load(.byte, 7, at: SteeringProgram.header + 9)
        // Only the first part of a packet has ports.
        program.load(.half, 2, at: SteeringProgram.header + 6)
        program.and(2, UInt32(UInt16(0x1FFF).bigEndian))
        program.jump(if: 2, .unequal, 0, to: done)
        program.load(.byte, 2, at: SteeringProgram.header)
        program.and(2, 0xF)
        program.shiftLeft(2, 2)
        program.add(2, SteeringProgram.linkHeader)
        loadPorts(failing: done)
        program.jump(to: done)
    }

    private mutating func parse6(_ done: FrameProgram.Label) {
        load(SteeringProgram.linkHeader, 40, to: SteeringProgram.header, failing: done)
        program.set(9, 6)
        program.load(.byte, 2, at: SteeringProgram.header + 6)
        // Hop-by-hop, routing, fragment, authentication, destination, mobility.
        for header in [0, 43, 44, 51, 60, 135] as [Int32] { program.jump(if: 2, .equal, header, to: done) }
        program.copy(7, from: 2)
        program.set(2, SteeringProgram.linkHeader + 40)
        loadPorts(failing: done)
    }

    private mutating func load(_ place: Int32, _ count: Int32, to stack: Int16, failing label: FrameProgram.Label) {
        program.set(2, place)
        loadBytes(count, to: stack, failing: label)
    }

    /// From where register 2 says.
    private mutating func loadPorts(failing label: FrameProgram.Label) {
        loadBytes(4, to: SteeringProgram.ports, failing: label)
        program.set(8, 1)
    }

    private mutating func loadBytes(_ count: Int32, to stack: Int16, failing label: FrameProgram.Label) {
        program.copy(1, from: 6)
        program.pointer(3, to: Int32(stack))
        program.set(4, count)
        program.call(.loadBytes)
        program.jump(if: 0, .unequal, 0, to: label)
    }

    private mutating func match(_ classifier: Classifier, otherwise past: FrameProgram.Label) {
        let matches = program.label()
        for clause in classifier.clauses {
            let next = program.label()
            match(clause, otherwise: next)
            program.jump(to: matches)
            program.place(next)
        }
        program.jump(to: past)
        program.place(matches)
    }

    /// What cannot be known of a frame is taken to match: it goes to the function.
    private mutating func match(_ clause: Classifier.Clause, otherwise next: FrameProgram.Label) {
        if let family = clause.family {
            program.jump(if: 9, .unequal, family == .v4 ? 4 : 6, to: next)
        } else {
            program.jump(if: 9, .equal, 0, to: next)
        }
        let isOutward = rule.direction == .toSwitch
        if let remote = clause.remote { match(remote, atDestination: isOutward, otherwise: next) }
        if let local = clause.local { match(local, atDestination: !isOutward, otherwise: next) }
        guard let number = clause.protocol else { return }
        let unknown = program.label()
        program.jump(if: 7, .equal, SteeringProgram.hidden, to: unknown)
        program.jump(if: 7, .unequal, Int32(number), to: next)
        if !clause.remotePorts.isEmpty || !clause.localPorts.isEmpty {
            program.jump(if: 8, .equal, 0, to: unknown)
            match(clause.remotePorts, atDestination: isOutward, otherwise: next)
            match(clause.localPorts, atDestination: !isOutward, otherwise: next)
        }
        program.place(unknown)
    }

    private mutating func match(
        _ ranges: [ClosedRange<UInt16>], atDestination: Bool, otherwise next: FrameProgram.Label
    ) {
        if ranges.isEmpty { return }
        let found = program.label()
        program.load(.half, 2, at: SteeringProgram.ports + (atDestination ? 2 : 0))
        program.fromNetwork(2)
        for range in ranges {
            let other = program.label()
            program.jump(if: 2, .less, Int32(range.lowerBound), to: other)
            program.jump(if: 2, .more, Int32(range.upperBound), to: other)
            program.jump(to: found)
            program.place(other)
        }
        program.jump(to: next)
        program.place(found)
    }

    private mutating func match(
        _ network: IPPrefix, atDestination: Bool, otherwise next: FrameProgram.Label
    ) {
        let isV4 = network.family == .v4
        let start = SteeringProgram.header + (isV4 ? (atDestination ? 16 : 12) : (atDestination ? 24 : 8))
        let address = network.first.bytes
        for word in stride(from: 0, to: network.family.width / 8, by: 4) where network.length > word * 8 {
            let ones = min(32, network.length - word * 8)
            let mask = ~UInt32(0) << UInt32(32 - ones)
            let value = address[word..<word + 4].reduce(0) { $0 << 8 | UInt32($1) }
            program.load(.word, 2, at: start + Int16(word))
            program.and(2, mask.bigEndian)
            program.jump(if: 2, .unequal, Int32(bitPattern: (value & mask).bigEndian), to: next)
        }
    }
}
