import Addresses
import CLinux
import Glibc
import Kernel
import Netlink

/// Renews a box's lease while the box runs, and gives it back afterwards: a process beside the box that is nobody, and
/// may do nothing but set addresses. The kernel takes an address away when its lease has run out.
struct LeaseKeeper {
    let client: DHCPClient
    let lease: DynamicLease
    let box: BoxReference

    /// Gives the interface its address, and stays.
    func start(_ inside: borrowing NetlinkSocket) throws(SwitchError) {
        try attributed(to: "address") { () throws(SystemError) in
            try inside.send(.add(LeaseKeeper.address(lease, client)))
        }
        // One that never ends is given back all the same.
        var work: Renewal?
        try Guardian(process: box.process, kept: [box.namespace]).start(
            { () throws(SwitchError) in
                try attributed(to: "address") { () throws(SystemError) in
                    work = try Renewal(client, lease)
                    try LeaseKeeper.drop()
                }
                return -1
            }, meanwhile: { work?.work() ?? -1 }
        ) { work?.release() }
    }

    fileprivate static func address(_ lease: DynamicLease, _ client: DHCPClient) -> InterfaceAddress {
        var address = InterfaceAddress(lease.address, link: client.link)
        address.lifetime = lease.seconds
        return address
    }

    private static func drop() throws(SystemError) {
        var state = CapabilityState()
        (state.permitted, state.effective) = ([.netAdmin], [.netAdmin])
        state.securebits = try CapabilityState.current().securebits
        try applyCredentials(Credentials(uid: 65534, gid: 65534), state)
        try noNewPrivileges()
    }
}

/// A lease under way.
private final class Renewal {
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
            var address = InterfaceAddress(lease.address, link: client.link)
            address.lifetime = lease.seconds
            _ = try? sockets.netlink.send(.replace(address))
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
        // What is on its way to a neighbour not asked for yet goes with the namespace.
        usleep(20_000)
    }

    /// What does not go out is asked again, or runs out.
    private func send(_ message: DHCPMessage, _ server: IPAddress) {
        let bytes = message.bytes
        _ = linux_send_ip4(sockets.datagrams.number, server.bytes, DHCPDatagram.serverPort, bytes, bytes.count)
    }
}
