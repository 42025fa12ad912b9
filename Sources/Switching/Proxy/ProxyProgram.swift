import Addresses
import Netlink

/// What is decided about frames in a proxy's box: they are for its program, or go on as if there were no box.
///
/// The program's are packets of connections that it has, and beginnings of those that it is to have. What began before
/// the box was put in the way is in none of its sockets, and goes on.
struct ProxyProgram {
    /// An index of an interface in the box: where frames go on.
    let other: Int32
    let classifier: Classifier
    /// Whether it takes what begins.
    let isOpen: Bool

    static let name = "sandbox_proxy"

    /// Where connections of the box's own begin: above those that an application has without asking.
    static let ownPorts: ClosedRange<UInt16> = 61_000...65_535

    private static let tuple: Int16 = -100
    private static let flags: Int16 = -64

    /// What has to be led to a box that stands for `classifier`: what comes back to connections of its own, too.
    static func leading(_ classifier: Classifier) -> Classifier {
        var leading = classifier
        for number in [6, 17] as [UInt8] {
            var own = Classifier.Clause()
            (own.protocol, own.localPorts) = (number, [ownPorts])
            leading.clauses.append(own)
        }
        // Of too large packets and unknown hosts, and neighbours of IPv6.
        for (family, number) in [(IPFamily.v4, 1), (.v6, 58)] as [(IPFamily, UInt8)] {
            var errors = Classifier.Clause()
            (errors.family, errors.protocol) = (family, number)
            leading.clauses.append(errors)
        }
        leading.takesNeighbours = true
        return leading
    }

    /// For what the application sends.
    func fromApplication() -> FrameProgram {
        var maker = ProxyProgramMaker(FrameMatcher(isOutward: true))
        let (lookup, drop) = (maker.program.label(), maker.program.label())
        maker.matcher.parse()
        maker.program.jump(if: 9, .equal, 0, to: maker.pass)
        maker.leaveHidden(dropping: drop)
        // The rest of a packet in parts: without its beginning it is nothing.
        maker.program.jump(if: 8, .equal, 0, to: maker.pass)
        if isOpen {
            maker.matcher.match(classifier, otherwise: lookup)
            maker.program.jump(if: 7, .equal, 17, to: maker.take)
            maker.program.jump(if: 7, .unequal, 6, to: maker.pass)
            maker.begins(otherwise: lookup, dropping: drop)
        }
        maker.program.place(lookup)
        maker.program.jump(if: 7, .unequal, 6, to: maker.pass)
        maker.takeConnected()
        maker.finish(other)
        maker.program.place(drop)
        maker.program.end(.drop)
        return maker.program
    }

    /// For what the application is sent.
    func fromSwitch() -> FrameProgram {
        var maker = ProxyProgramMaker(FrameMatcher(isOutward: false))
        let (both, datagram, isIP) = (maker.program.label(), maker.program.label(), maker.program.label())
        maker.matcher.parse()
        maker.program.jump(if: 9, .unequal, 0, to: isIP)
        maker.program.load(.protocol, into: 2)
        maker.program.jump(if: 2, .equal, FrameMatcher.neighbourProtocol, to: both)
        maker.program.jump(to: maker.pass)
        maker.program.place(isIP)
        for number in [1, 58] as [Int32] { maker.program.jump(if: 7, .equal, number, to: both) }
        maker.program.jump(if: 8, .equal, 0, to: maker.pass)
        maker.program.load(.half, 2, at: FrameMatcher.ports + 2)
        maker.program.fromNetwork(2)
        maker.program.jump(if: 2, .less, Int32(ProxyProgram.ownPorts.lowerBound), to: maker.pass)
        maker.program.jump(if: 7, .equal, 17, to: datagram)
        maker.program.jump(if: 7, .unequal, 6, to: maker.pass)
        maker.takeConnected()
        maker.program.place(datagram)
        maker.takeDatagram()
        maker.program.place(both)
        maker.program.copy(1, from: 6)
        maker.program.set(2, other)
        maker.program.set(3, 0)
        // The application is told as well; what cannot be copied is no reason to keep it from the box.
        maker.program.call(.cloneRedirect)
        maker.program.jump(to: maker.take)
        maker.finish(other)
        return maker.program
    }

    /// Puts the parts together.
    private struct ProxyProgramMaker {
        var matcher: FrameMatcher
        /// Goes on as if there were no box.
        let pass: FrameProgram.Label
        /// Is the box's own.
        let take: FrameProgram.Label

        var program: FrameProgram {
            get { matcher.program }
            _modify { yield &matcher.program }
        }

        init(_ matcher: FrameMatcher) {
            self.matcher = matcher
            pass = self.matcher.program.label()
            take = self.matcher.program.label()
        }

        /// What is behind IPv6's extension headers cannot be told, and does not get past a proxy; who listens to which
        /// group (MLD) is told so.
        mutating func leaveHidden(dropping drop: FrameProgram.Label) {
            let isKnown = program.label()
            program.jump(if: 7, .unequal, FrameMatcher.hidden, to: isKnown)
            program.jump(if: 9, .unequal, 6, to: drop)
            program.load(.byte, 2, at: FrameMatcher.header + 6)
            program.jump(if: 2, .unequal, 0, to: drop)
            matcher.load(FrameMatcher.linkHeader + 40, 1, to: ProxyProgram.flags, failing: drop)
            program.load(.byte, 2, at: ProxyProgram.flags)
            program.jump(if: 2, .equal, 58, to: pass)
            program.jump(to: drop)
            program.place(isKnown)
        }

        /// Takes what begins a TCP connection. One in parts has its flags where nobody looks.
        mutating func begins(otherwise next: FrameProgram.Label, dropping drop: FrameProgram.Label) {
            let isWhole = program.label()
            program.jump(if: 9, .unequal, 4, to: isWhole)
            program.load(.half, 2, at: FrameMatcher.header + 6)
            program.and(2, UInt32(UInt16(0x3FFF).bigEndian))
            program.jump(if: 2, .unequal, 0, to: drop)
            program.place(isWhole)
            program.load(.word, 2, at: FrameMatcher.transport)
            program.add(2, 13)
            matcher.loadBytes(1, to: ProxyProgram.flags, failing: drop)
            program.load(.byte, 2, at: ProxyProgram.flags)
            // SYN without ACK.
            program.and(2, 0x12)
            program.jump(if: 2, .equal, 0x02, to: take)
            program.jump(to: next)
        }

        /// Takes what belongs to a TCP connection of the box's.
        mutating func takeConnected() {
            find(.lookupTCP)
            // `state` of `struct bpf_sock`.
            program.load(7, from: 8, 72)
            program.copy(1, from: 8)
            program.call(.release)
            // TCP_LISTEN.
            program.jump(if: 7, .equal, 10, to: pass)
            program.jump(to: take)
        }

        mutating func takeDatagram() {
            find(.lookupUDP)
            program.copy(1, from: 8)
            program.call(.release)
            program.jump(to: take)
        }

        /// Finds the box's socket for the packet; without one it goes on.
        private mutating func find(_ helper: FrameProgram.Helper) {
            let (ipv6, found) = (program.label(), program.label())
            program.jump(if: 9, .equal, 6, to: ipv6)
            ask(helper, 12, words: 2)
            program.jump(to: found)
            program.place(ipv6)
            ask(helper, 8, words: 8)
            program.place(found)
            program.jump(ifNone: 0, to: pass)
            program.copy(8, from: 0)
        }

        /// - Parameter start: of the addresses in their header.
        private mutating func ask(_ helper: FrameProgram.Helper, _ start: Int16, words: Int16) {
            for word in 0..<words {
                program.load(.word, 2, at: FrameMatcher.header + start + word * 4)
                program.save(2, at: ProxyProgram.tuple + word * 4)
            }
            program.load(.word, 2, at: FrameMatcher.ports)
            program.save(2, at: ProxyProgram.tuple + words * 4)
            program.copy(1, from: 6)
            program.pointer(2, to: Int32(ProxyProgram.tuple))
            program.set(3, Int32(words * 4 + 4))
            // BPF_F_CURRENT_NETNS.
            program.set(4, -1)
            program.set(5, 0)
            program.call(helper)
        }

        mutating func finish(_ other: Int32) {
            program.place(take)
            program.copy(1, from: 6)
            // PACKET_HOST: on the link it is somebody else's.
            program.set(2, 0)
            program.call(.changeType)
            program.end(.next)
            program.place(pass)
            program.set(1, other)
            program.set(2, 0)
            program.call(.redirectPeer)
            program.end()
        }
    }
}
