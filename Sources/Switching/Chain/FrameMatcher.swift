import Addresses
import Netlink

/// The beginning of a program that tells frames apart.
///
/// On the stack: the IPv4 or IPv6 header, and before it the ports and where they are in the frame. Register 7 has the
/// protocol, 8 whether the ports are known, 9 the family: 4, 6 or 0.
struct FrameMatcher {
    static let header: Int16 = -40
    static let ports: Int16 = -48
    /// Where the ports are in the frame; set with register 8.
    static let transport: Int16 = -60
    /// Of Ethernet.
    static let linkHeader: Int32 = 14
    /// A protocol behind IPv6's extension headers: it could be any.
    static let hidden: Int32 = 0xFFFF
    /// ARP's, as frames have it.
    static let neighbourProtocol = Int32(UInt16(0x0806).bigEndian)

    var program = FrameProgram()
    /// Whether frames are the application's own, or for it.
    let isOutward: Bool

    init(isOutward: Bool) { self.isOutward = isOutward }

    /// Finds what clauses ask for.
    mutating func parse() {
        let (ipv6, done) = (program.label(), program.label())
        program.set(9, 0)
        program.set(8, 0)
        program.set(7, FrameMatcher.hidden)
        program.load(.protocol, into: 2)
        program.jump(if: 2, .equal, Int32(UInt16(0x86DD).bigEndian), to: ipv6)
        program.jump(if: 2, .unequal, Int32(UInt16(0x0800).bigEndian), to: done)
        parse4(done)
        program.place(ipv6)
        parse6(done)
        program.place(done)
    }

    private mutating func parse4(_ done: FrameProgram.Label) {
        load(FrameMatcher.linkHeader, 20, to: FrameMatcher.header, failing: done)
        program.set(9, 4)
        program.load(.byte, 7, at: FrameMatcher.header + 9)
        // Only the first part of a packet has ports.
        program.load(.half, 2, at: FrameMatcher.header + 6)
        program.and(2, UInt32(UInt16(0x1FFF).bigEndian))
        program.jump(if: 2, .unequal, 0, to: done)
        program.load(.byte, 2, at: FrameMatcher.header)
        program.and(2, 0xF)
        program.shiftLeft(2, 2)
        program.add(2, FrameMatcher.linkHeader)
        loadPorts(failing: done)
        program.jump(to: done)
    }

    private mutating func parse6(_ done: FrameProgram.Label) {
        load(FrameMatcher.linkHeader, 40, to: FrameMatcher.header, failing: done)
        program.set(9, 6)
        program.load(.byte, 2, at: FrameMatcher.header + 6)
        // Hop-by-hop, routing, fragment, authentication, destination, mobility.
        for header in [0, 43, 44, 51, 60, 135] as [Int32] { program.jump(if: 2, .equal, header, to: done) }
        program.copy(7, from: 2)
        program.set(2, FrameMatcher.linkHeader + 40)
        loadPorts(failing: done)
    }

    mutating func load(_ place: Int32, _ count: Int32, to stack: Int16, failing label: FrameProgram.Label) {
        program.set(2, place)
        loadBytes(count, to: stack, failing: label)
    }

    /// From where register 2 says.
    private mutating func loadPorts(failing label: FrameProgram.Label) {
        program.save(2, at: FrameMatcher.transport)
        loadBytes(4, to: FrameMatcher.ports, failing: label)
        program.set(8, 1)
    }

    mutating func loadBytes(_ count: Int32, to stack: Int16, failing label: FrameProgram.Label) {
        program.copy(1, from: 6)
        program.pointer(3, to: Int32(stack))
        program.set(4, count)
        program.call(.loadBytes)
        program.jump(if: 0, .unequal, 0, to: label)
    }

    mutating func match(_ classifier: Classifier, otherwise past: FrameProgram.Label) {
        let matches = program.label()
        if classifier.takesNeighbours {
            program.load(.protocol, into: 2)
            program.jump(if: 2, .equal, FrameMatcher.neighbourProtocol, to: matches)
        }
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
        if let remote = clause.remote { match(remote, atDestination: isOutward, otherwise: next) }
        if let local = clause.local { match(local, atDestination: !isOutward, otherwise: next) }
        guard let number = clause.protocol else { return }
        let unknown = program.label()
        program.jump(if: 7, .equal, FrameMatcher.hidden, to: unknown)
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
        program.load(.half, 2, at: FrameMatcher.ports + (atDestination ? 2 : 0))
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
        let start = FrameMatcher.header + (isV4 ? (atDestination ? 16 : 12) : (atDestination ? 24 : 8))
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
