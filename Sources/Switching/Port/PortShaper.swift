import Glibc
import Kernel
import Netlink
import Profile

/// Holds a port to its rates. What leaves by an interface waits in its own queue; what comes in is led past an ifb(4)
/// that has a queue, and waits there: nothing is thrown away that a little patience would let through.
struct PortShaper {
    /// Bits a second.
    private let leaving: UInt64?
    private let coming: UInt64?
    private let burst: UInt64?
    private let mtu: Int
    private let companion: String

    /// At the switch's end, out of the box's reach: what the box sends comes in there. `nil` where there is nothing to
    /// hold.
    init?(_ plan: PortPlan, switchEnd: String) {
        if plan.rate.isEmpty { return nil }
        (leaving, coming, burst) = (plan.rate.ingress, plan.rate.egress, plan.rate.burst)
        mtu = plan.mtu
        companion = PortShaper.companion(of: switchEnd)
    }

    /// At the box's own end, for want of another. Who administers the box's network could lift it.
    init?(_ plan: PortPlan, inside box: BoxReference) throws(SwitchError) {
        if plan.rate.isEmpty { return nil }
        if box.mayAdminister {
            throw SwitchError(
                key: "rate",
                "a limit of this kind of interface lies in the box, which could lift it: it may get CAP_NET_ADMIN",
                mend: "name a process.user other than root, keep no NET_ADMIN, or use a switch of kind bridge")
        }
        (leaving, coming, burst) = (plan.rate.egress, plan.rate.ingress, plan.rate.burst)
        mtu = plan.mtu
        companion = "ifb-" + plan.name.prefix(11)
    }

    /// What the interface is called that a port's traffic is led past.
    static func companion(of port: String) -> String { "i" + port.dropFirst() }

    /// Sets an end up that is down still: a queue for one that is up takes 20 ms of waiting for the kernel.
    /// - Returns: the companion's name, where there is one.
    func hold(_ port: Link, _ socket: borrowing NetlinkSocket) throws(SwitchError) -> String? {
        try attributed(to: "rate") { () throws(SystemError) in
            var messages: [NetlinkMessage] = []
            if let leaving { messages.append(.add(.tokenBucket(limit(leaving)), to: port.index)) }
            guard let coming else {
                try socket.send(messages)
                return nil
            }
            let index = try makeCompanion(companion, socket)
            do throws(SystemError) {
                try socket.send(
                    messages + [
                        .add(.tokenBucket(limit(coming)), to: index),
                        .change(.index(index), LinkChange(isUp: true)),
                        .add(.filters, to: port.index),
                        .add(
                            TrafficFilter(
                                .input, priority: TrafficFilter.firstPriority, .redirect(to: index)),
                            to: port.index),
                    ])
            } catch {
                try socket.send(.delete(.index(index)))
                throw error
            }
            return companion
        }
    }

    /// Where the counter of ports has been lost, that of a port long gone can be in the way.
    private func makeCompanion(_ name: String, _ socket: borrowing NetlinkSocket) throws(SystemError) -> Int32 {
        var link = LinkOptions(name, mtu: UInt32(mtu), group: FabricGroup.companions)
        link.txQueueLength = 32
        do throws(SystemError) {
            return try socket.create(LinkSpec(link, .plain("ifb"))).index
        } catch {
            if error.code != EEXIST { throw error }
        }
        try socket.send(.delete(.name(name)))
        return try socket.create(LinkSpec(link, .plain("ifb"))).index
    }

    private func limit(_ bits: UInt64) -> RateLimit { RateLimit(bits: bits, burst: burst, mtu: mtu) }
}

extension RateLimit {
    /// Of bits a second.
    ///
    /// - Parameter burst: bytes; `nil` for fifty milliseconds' worth up to 64 KiB and ten milliseconds' beyond: so much
    ///   that the rate is reached, and so little that nobody notices it as more than the rate.
    init(bits: UInt64, burst: UInt64?, mtu: Int) {
        let rate = bits / 8
        let frames = UInt64(mtu + 18) * 2
        let bytes = burst ?? max(rate / 100, min(rate / 20, 65_536), frames)
        self.init(rate: rate, burst: UInt32(clamping: bytes))
        // Twenty milliseconds' worth and the burst wait at most, of small rates some frames.
        limit = UInt32(clamping: max(UInt64(limit), bytes + frames * 8))
    }
}
