import Addresses
import CLinux
import Glibc
import Kernel
import Netlink

/// Gets an IPv6 address for an interface of a box from a DHCP server, from outside the box and before anything runs in
/// it. The way out is what routers say: the kernel takes that in itself, since it does so for as long as they say it.
struct DHCPv6Client {
    /// A descriptor of the box's network namespace.
    let namespace: Int32
    let link: Int32
    let interface: String
    let mac: MACAddress
    /// What the server is told.
    let hostname: String?

    init(_ client: DHCPClient) {
        (namespace, link, interface) = (client.namespace, client.link, client.interface)
        (mac, hostname) = (client.mac, client.hostname)
    }

    /// The interface's own address on its link.
    var linkLocal: IPAddress { .linkLocal(mac) }
    /// What the server knows the interface's one address by (IAID): like the identifier from the hardware address.
    var association: UInt32 { UInt32(truncatingIfNeeded: mac.number) }

    /// How long an answer is waited for, in milliseconds: once for each question.
    private static let waits: [Int32] = [1000, 2000, 2000, 3000]
    /// How long somebody may take to say that he has an address, in milliseconds, and how often that is asked.
    private static let probe: (wait: Int32, count: Int) = (150, 2)
    /// How long a router may take to answer, in milliseconds: it may wait for half a second itself (RFC 4861).
    private static let routerWait: Int64 = 1000

    /// - Parameter takesRouter: whether routers on the link become the default route.
    /// - Throws: when no server answers within eight seconds, or one has no address to give.
    func acquire(_ inside: borrowing NetlinkSocket, takesRouter: Bool) throws(SwitchError) -> DynamicLease6 {
        let neighbours = try hear()
        // What comes early waits in it.
        let routers = try hear()
        let asked = try begin(inside, neighbours, takesRouter)
        let lease = try lease(neighbours, routers)
        // The kernel has asked, and a route that comes later is taken too.
        let left = DHCPv6Client.routerWait - (leaseMilliseconds() - asked)
        _ = try router(routers, within: Int32(max(left, 1)))
        return lease
    }

    private func hear() throws(SwitchError) -> PacketLine {
        try attributed(to: "address") { () throws(SystemError) in
            try PacketLine(namespace, link, PacketLine.ipv6)
        }
    }

    /// Gives the interface its address on the link, which has the kernel ask for routers.
    /// - Returns: when that was.
    private func begin(
        _ inside: borrowing NetlinkSocket, _ neighbours: borrowing PacketLine, _ takesRouter: Bool
    ) throws(SwitchError) -> Int64 {
        try attributed(to: "address") { () throws(SystemError) in
            let settings = [("accept_ra", "1"), ("accept_ra_defrtr", takesRouter ? "1" : "0"), ("autoconf", "0")]
            for (name, value) in settings {
                try setNetworkSetting("ipv6/conf/\(interface)/\(name)", value, in: namespace)
            }
        }
        if try isTaken(linkLocal, neighbours) {
            throw SwitchError(
                key: "mac", "another on the network has \(linkLocal), the address that goes with \(mac)",
                mend: "give the interface another hardware address")
        }
        try attributed(to: "address") { () throws(SystemError) in
            guard let prefix = IPPrefix(linkLocal, length: 64) else { return }
            try inside.send(.replace(InterfaceAddress(prefix, link: link, flags: .withoutDuplicateDetection)))
        }
        return leaseMilliseconds()
    }

    private func lease(
        _ neighbours: borrowing PacketLine, _ routers: borrowing PacketLine
    ) throws(SwitchError) -> DynamicLease6 {
        let line = try attributed(to: "address") { () throws(SystemError) in try DHCPv6Line(self) }
        var refusal: String?
        for wait in DHCPv6Client.waits {
            var message = message(.solicit)
            let (offer, said) = try ask(line, message, wait)
            guard let offered = offer.flatMap({ DynamicLease6($0) }) else {
                refusal = said.map { "the DHCP server gives no IPv6 address (\($0))" } ?? refusal
                // There may be another, who would have answered by now.
                guard said == nil else { break }
                continue
            }
            message = self.message(.request)
            message.server = offered.server
            message.association?.addresses = [.init(address: offered.address.address)]
            let (answer, reason) = try ask(line, message, wait)
            guard let lease = answer.flatMap({ DynamicLease6($0) }) else {
                if let reason {
                    refusal = "the DHCP server offers \(offered.address.address) and refuses it (\(reason))"
                }
                continue
            }
            if try !isTaken(lease.address.address, neighbours) { return lease }
            refusal = "the DHCP server gives \(lease.address.address), which another has"
            message = self.message(.decline)
            message.server = lease.server
            message.association?.addresses = [.init(address: lease.address.address)]
            _ = try ask(line, message, DHCPv6Client.waits[0])
        }
        if refusal == nil { refusal = try silence(routers) }
        throw SwitchError(key: "address", refusal ?? "", mend: "see that there is one, or name an address")
    }

    private func silence(_ routers: borrowing PacketLine) throws(SwitchError) -> String {
        let isManaged = try router(routers, within: 1)?.isManaged
        return "no DHCP server for IPv6 answers on \(interface)"
            + (isManaged == false ? ", and the router there says that addresses are not by DHCP" : "")
    }

    func message(_ kind: DHCPv6Message.Kind) -> DHCPv6Message {
        var message = DHCPv6Message(
            kind: kind, transaction: .random(in: 1...0xFF_FFFF), client: DHCPv6Message.identifier(mac))
        message.association = DHCPv6Message.Association(id: association)
        message.hostname = hostname
        return message
    }

    /// The first answer to a message that refuses nothing; and why the others refuse.
    private func ask(
        _ line: borrowing DHCPv6Line, _ message: DHCPv6Message, _ wait: Int32
    ) throws(SwitchError) -> (DHCPv6Message?, String?) {
        try attributed(to: "address") { () throws(SystemError) in
            try line.send(message)
            let kind = message.kind == .solicit ? DHCPv6Message.Kind.advertise : .reply
            var refusal: String?
            let answer =
                try line.first(within: wait) { bytes in
                    guard let answer = line.answer(bytes, to: message), answer.kind == kind else { return nil }
                    let status = answer.status ?? answer.association?.status
                    if let status { refusal = status.description }
                    // A server that refuses what was offered has spoken; of several who offer one may have an address.
                    return status == nil || kind == .reply ? answer : nil
                } as DHCPv6Message?
            return (answer, refusal)
        }
    }

    /// Whether another has an address already.
    private func isTaken(_ address: IPAddress, _ line: borrowing PacketLine) throws(SwitchError) -> Bool {
        try attributed(to: "address") { () throws(SystemError) in
            for _ in 0..<DHCPv6Client.probe.count {
                try line.send(NeighbourProbe.question(address), to: NeighbourProbe.station(address))
                let answer = try line.first(within: DHCPv6Client.probe.wait) { packet in
                    NeighbourProbe.isConflict(packet, address) ? true : nil
                }
                if answer != nil { return true }
            }
            return false
        }
    }

    private func router(
        _ line: borrowing PacketLine, within wait: Int32
    ) throws(SwitchError) -> NeighbourProbe.Router? {
        try attributed(to: "address") { () throws(SystemError) in
            try line.first(within: wait) { NeighbourProbe.Router($0) }
        }
    }
}

/// A client's socket for DHCP on IPv6.
struct DHCPv6Line: ~Copyable {
    private let socket: Descriptor
    private let link: Int32

    init(_ client: DHCPv6Client) throws(SystemError) {
        let made = try openSocket(
            in: client.namespace, AF_INET6, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let number = made.number
        try check("listen for DHCP on the interface") {
            linux_dhcp6_bind(number, client.interface, DHCPv6Message.clientPort)
        }
        link = client.link
        socket = made
    }

    /// To all servers on the link.
    func send(_ message: DHCPv6Message) throws(SystemError) {
        let (number, bytes) = (socket.number, message.bytes)
        try check("send to the DHCP servers on the interface") {
            Int32(
                linux_send_ip6(
                    number, link, DHCPv6Message.servers.bytes, DHCPv6Message.serverPort, bytes, bytes.count))
        }
    }

    func answer(_ bytes: ArraySlice<UInt8>, to message: DHCPv6Message) -> DHCPv6Message? {
        guard let answer = DHCPv6Message(bytes: Array(bytes)), answer.transaction == message.transaction,
            answer.client == message.client, answer.server != nil,
            answer.association == nil || answer.association?.id == message.association?.id
        else { return nil }
        return answer
    }

    /// See ``PacketLine/first(within:_:)``.
    func first<Found>(within wait: Int32, _ read: (ArraySlice<UInt8>) -> Found?) throws(SystemError) -> Found? {
        try firstPacket(at: socket.number, within: wait, read)
    }
}
