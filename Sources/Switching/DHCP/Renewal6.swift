import Addresses
import Glibc
import Kernel
import Netlink

/// A lease of IPv6 under way.
final class Renewal6 {
    private let client: DHCPv6Client
    private var lease: DynamicLease6
    private let sockets: Sockets
    /// Milliseconds.
    private var began = leaseMilliseconds()
    private var next: Int64
    /// Whether there is anything to renew and to give back.
    private var isHeld = true

    /// Opened while the namespace can be entered.
    private struct Sockets: ~Copyable {
        let netlink: NetlinkSocket
        let line: DHCPv6Line
    }

    init(_ client: DHCPv6Client, _ lease: DynamicLease6) throws(SystemError) {
        let line = try DHCPv6Line(client)
        sockets = Sockets(netlink: try NetlinkSocket(in: client.namespace), line: line)
        (self.client, self.lease) = (client, lease)
        next = began + Int64(lease.renewal) * 1000
    }

    /// What the interface is given. That nobody else has it was asked before.
    static func address(_ lease: DynamicLease6, _ link: Int32) -> InterfaceAddress {
        var address = InterfaceAddress(lease.address, link: link, flags: .withoutDuplicateDetection)
        (address.lifetime, address.preferred) = (lease.seconds, lease.preferred)
        if lease.seconds == nil, let preferred = lease.preferred {
            (address.lifetime, address.preferred) = (.max, preferred)
        }
        return address
    }

    /// Does what is due.
    /// - Returns: milliseconds until there is more to do; -1 for never.
    func work() -> Int32 {
        guard isHeld, lease.renewal != .max else { return -1 }
        let now = leaseMilliseconds()
        if now < next { return Int32(clamping: next - now) }
        let rebinding = began + Int64(lease.rebinding) * 1000
        let end = lease.seconds.map { began + Int64($0) * 1000 } ?? .max
        // The kernel has taken the address away.
        if now >= end {
            isHeld = false
            return -1
        }
        switch renew(asksAll: now >= rebinding) {
        case .renewed(let renewed):
            lease = renewed
            began = now
            next = began + Int64(lease.renewal) * 1000
            // A box that has taken its interface down has no use for it.
            _ = try? sockets.netlink.send(.replace(Renewal6.address(lease, client.link)))
        case .lost:
            // It is the server's to say: nobody is there to be told. When it is gone already all is well.
            _ = try? sockets.netlink.send(.delete(InterfaceAddress(lease.address, link: client.link)))
            isHeld = false
            return -1
        case .silence:
            // Half of what is left, as for IPv4.
            let goal = now < rebinding ? rebinding : end
            next = now + max((goal - now) / 2, min(10_000, goal - now))
        }
        return Int32(clamping: max(next - leaseMilliseconds(), 0))
    }

    private enum Outcome {
        case renewed(DynamicLease6)
        /// The address is not the box's any more.
        case lost
        case silence
    }

    /// Asks the server, or all.
    private func renew(asksAll: Bool) -> Outcome {
        guard let answer = ask(asksAll ? .rebind : .renew, asksAll ? nil : lease.server) else { return .silence }
        let outcome = outcome(answer)
        let status = answer.association?.status?.code ?? answer.status?.code
        // A server that has forgotten it may give it anew (RFC 8415, 18.2.10.1).
        guard status == DHCPv6Message.Status.noBinding else { return outcome }
        return ask(.request, answer.server).map { self.outcome($0) } ?? .lost
    }

    private func outcome(_ answer: DHCPv6Message) -> Outcome {
        guard let association = answer.association else { return .silence }
        let own = association.addresses.first { $0.address == lease.address.address }
        if own?.valid == 0 { return .lost }
        if association.status != nil { return .lost }
        guard own != nil, let renewed = DynamicLease6(answer), renewed.address == lease.address else {
            return .silence
        }
        return .renewed(renewed)
    }

    private func ask(_ kind: DHCPv6Message.Kind, _ server: [UInt8]?) -> DHCPv6Message? {
        let message = message(kind, server)
        do throws(SystemError) {
            try sockets.line.send(message)
            return try sockets.line.first(within: 2000) { bytes in
                guard let answer = sockets.line.answer(bytes, to: message), answer.kind == .reply else { return nil }
                return answer
            }
        } catch {
            // What does not go out is asked again.
            return nil
        }
    }

    private func message(_ kind: DHCPv6Message.Kind, _ server: [UInt8]?) -> DHCPv6Message {
        var message = client.message(kind)
        message.server = server
        message.association?.addresses = [.init(address: lease.address.address)]
        return message
    }

    func release() {
        // What does not go out runs out.
        if isHeld { try? sockets.line.send(message(.release, lease.server)) }
    }
}
