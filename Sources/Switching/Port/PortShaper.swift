import Glibc
import Kernel
import Netlink
import Profile

/// Holds a port to its rates at the switch's end, out of the box's reach. What the box receives waits in that end's
/// queue; what it sends is led past an ifb(4) that has a queue of its own, and waits there: nothing is thrown away that
/// a little patience would let through.
struct PortShaper {
    private let rate: Profile.Interface.Rate
    private let mtu: Int

    /// `nil` where there is nothing to hold.
    init?(_ plan: PortPlan) {
        if plan.rate.isEmpty { return nil }
        (rate, mtu) = (plan.rate, plan.mtu)
    }

    /// What the interface is called that a port's traffic is led past.
    static func companion(of port: String) -> String { "i" + port.dropFirst() }

    /// Sets a port's end up that is down still: a queue for one that is up takes 20 ms of waiting for the kernel.
    /// - Returns: the companion's name, where there is one.
    func hold(_ port: Link, _ socket: borrowing NetlinkSocket) throws(SwitchError) -> String? {
        try attributed(to: "rate") { () throws(SystemError) in
            var messages: [NetlinkMessage] = []
            if let ingress = rate.ingress { messages.append(.add(.tokenBucket(limit(ingress)), to: port.index)) }
            guard let egress = rate.egress else {
                try socket.send(messages)
                return nil
            }
            let name = PortShaper.companion(of: port.name)
            let companion = try makeCompanion(name, socket)
            do throws(SystemError) {
                try socket.send(
                    messages + [
                        .add(.tokenBucket(limit(egress)), to: companion),
                        .change(.index(companion), LinkChange(isUp: true)),
                        .add(.inputFilters, to: port.index),
                        .add(TrafficFilter(.input, priority: 1, .redirect(to: companion)), to: port.index),
                    ])
            } catch {
                try socket.send(.delete(.index(companion)))
                throw error
            }
            return name
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

    private func limit(_ bits: UInt64) -> RateLimit { RateLimit(bits: bits, burst: rate.burst, mtu: mtu) }
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
