import Addresses
import CLinux
import Glibc
import Kernel
import Netlink

/// Gets an address for an interface of a box from a DHCP server, from outside the box and before anything runs in it.
struct DHCPClient {
    /// A descriptor of the box's network namespace.
    let namespace: Int32
    let link: Int32
    let interface: String
    let mac: MACAddress
    /// What the server is told.
    let hostname: String?

    /// How long an answer is waited for, in milliseconds: once for each question.
    private static let waits: [Int32] = [1000, 2000, 2000, 3000]
    /// How long somebody may take to say that he has an address, in milliseconds, and how often that is asked.
    private static let probe: (wait: Int32, count: Int) = (150, 2)

    /// - Throws: when no server answers within eight seconds, or all that are offered are in use.
    func acquire() throws(SwitchError) -> DynamicLease {
        let line = try attributed(to: "address") { () throws(SystemError) in
            try PacketLine(namespace, link, PacketLine.ip)
        }
        var refusal: String?
        for wait in DHCPClient.waits {
            var message = DHCPMessage(kind: .discover, transaction: .random(in: 1 ... .max), mac: mac)
            message.hostname = hostname
            guard let offer = try ask(line, message, [.offer], wait), let offered = DynamicLease(offer) else {
                continue
            }
            message.kind = .request
            (message.requested, message.server) = (offered.address.address, offered.server)
            guard let answer = try ask(line, message, [.ack, .nak], wait) else { continue }
            guard let lease = DynamicLease(answer) else {
                refusal = "the DHCP server \(offered.server) offers \(offered.address.address) and refuses it"
                continue
            }
            if try !isTaken(lease.address.address) { return lease }
            refusal = "the DHCP server \(lease.server) gives \(lease.address.address), which another has"
            (message.kind, message.requested) = (.decline, lease.address.address)
            message.transaction = .random(in: 1 ... .max)
            try send(line, message)
        }
        throw SwitchError(
            key: "address", refusal ?? "no DHCP server answers on \(interface)",
            mend: "see that there is one, or name an address")
    }

    private func send(_ line: borrowing PacketLine, _ message: DHCPMessage) throws(SwitchError) {
        try attributed(to: "address") { () throws(SystemError) in
            try line.send(DHCPDatagram.broadcast(message.bytes))
        }
    }

    /// The first answer to a message; `nil` when none has come in that time.
    private func ask(
        _ line: borrowing PacketLine, _ message: DHCPMessage, _ kinds: [DHCPMessage.Kind], _ wait: Int32
    ) throws(SwitchError) -> DHCPMessage? {
        try send(line, message)
        return try attributed(to: "address") { () throws(SystemError) in
            try line.first(within: wait) { packet in
                guard let answer = DHCPDatagram.payload(packet).flatMap({ DHCPMessage(bytes: $0) }),
                    answer.transaction == message.transaction, answer.mac == mac, kinds.contains(answer.kind)
                else { return nil }
                return answer
            }
        }
    }

    /// Whether another has an address already.
    private func isTaken(_ address: IPAddress) throws(SwitchError) -> Bool {
        try attributed(to: "address") { () throws(SystemError) in
            let line = try PacketLine(namespace, link, PacketLine.arp)
            for _ in 0..<DHCPClient.probe.count {
                try line.send(AddressProbe.question(address, from: mac))
                let answer = try line.first(within: DHCPClient.probe.wait) { packet in
                    AddressProbe.isConflict(packet, address, mac) ? true : nil
                }
                if answer != nil { return true }
            }
            return false
        }
    }
}
