import Addresses
import CLinux
import Glibc
import Kernel
import Netlink

/// A lease under way.
final class Renewal {
    private let client: DHCPClient
    private var lease: DynamicLease
    private let sockets: Sockets
    /// Milliseconds.
    private var began = leaseMilliseconds()
    private var next: Int64

    /// Opened while the namespace can be entered.
    struct Sockets: ~Copyable {
        let netlink: NetlinkSocket
        let datagrams: Descriptor
    }

    init(_ client: DHCPClient, _ lease: DynamicLease) throws(SystemError) {
        let datagrams = try openSocket(
            in: client.namespace, AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let number = datagrams.number
        try check("listen for DHCP on the interface") {
            linux_dhcp_bind(number, client.interface, DHCPDatagram.clientPort)
        }
        sockets = Sockets(netlink: try NetlinkSocket(in: client.namespace), datagrams: datagrams)
        (self.client, self.lease) = (client, lease)
        next = began + Int64(lease.renewal) * 1000
    }

    /// What the interface is given.
    static func address(_ lease: DynamicLease, _ client: DHCPClient) -> InterfaceAddress {
        var address = InterfaceAddress(lease.address, link: client.link)
        address.lifetime = lease.seconds
        return address
    }

    /// Does what is due.
    /// - Returns: milliseconds until there is more to do; -1 for never.
    func work() -> Int32 {
        guard let seconds = lease.seconds else { return -1 }
        let now = leaseMilliseconds()
        if now < next { return Int32(clamping: next - now) }
        let (rebinding, end) = (began + Int64(lease.rebinding) * 1000, began + Int64(seconds) * 1000)
        // The kernel has taken the address away.
        if now >= end { return -1 }
        let answer = renew(asksAll: now >= rebinding)
        if answer?.kind == .nak {
            // It is the server's to say: nobody is there to be told. When it is gone already all is well.
            _ = try? sockets.netlink.send(.delete(InterfaceAddress(lease.address, link: client.link)))
            lease.seconds = nil
            return -1
        }
        if let renewed = answer.flatMap({ DynamicLease($0) }), renewed.address.address == lease.address.address {
            (lease.seconds, lease.renewal, lease.rebinding) = (renewed.seconds, renewed.renewal, renewed.rebinding)
            lease.server = renewed.server
            began = now
            next = began + Int64(lease.renewal) * 1000
            // A box that has taken its interface down has no use for it.
            _ = try? sockets.netlink.send(.replace(Renewal.address(lease, client)))
        } else {
            // Half of what is left, as RFC 2131 has it.
            let goal = now < rebinding ? rebinding : end
            next = now + max((goal - now) / 2, min(10_000, goal - now))
        }
        return lease.seconds == nil ? -1 : Int32(clamping: max(next - leaseMilliseconds(), 0))
    }

    /// Asks the server, or all.
    private func renew(asksAll: Bool) -> DHCPMessage? {
        var message = DHCPMessage(kind: .request, transaction: .random(in: 1 ... .max), mac: client.mac)
        (message.client, message.hostname) = (lease.address.address, client.hostname)
        send(message, asksAll ? .v4(.max) : lease.server)
        let end = leaseMilliseconds() + 2000
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = end - leaseMilliseconds()
            if left <= 0 { return nil }
            var waiting = pollfd(fd: sockets.datagrams.number, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, Int32(left)) <= 0 { continue }
            let count = recv(sockets.datagrams.number, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count <= 0 { continue }
            guard let answer = DHCPMessage(bytes: Array(bytes[..<count])), answer.mac == client.mac,
                answer.transaction == message.transaction, answer.kind == .ack || answer.kind == .nak
            else { continue }
            return answer
        }
    }

    func release() {
        var message = DHCPMessage(kind: .release, transaction: .random(in: 1 ... .max), mac: client.mac)
        (message.client, message.server) = (lease.address.address, lease.server)
        send(message, lease.server)
    }

    /// What does not go out is asked again, or runs out.
    private func send(_ message: DHCPMessage, _ server: IPAddress) {
        let bytes = message.bytes
        _ = linux_send_ip4(sockets.datagrams.number, server.bytes, DHCPDatagram.serverPort, bytes, bytes.count)
    }
}
