import Addresses

/// A message of DHCP (RFC 2131, with the options of RFC 2132 that a client needs).
struct DHCPMessage: Equatable {
    enum Kind: UInt8 {
        case discover = 1
        case offer, request, decline, ack, nak, release
    }

    var kind: Kind
    /// The same in an answer.
    var transaction: UInt32
    var mac: MACAddress
    /// The address that the client uses already.
    var client: IPAddress = .v4(0)
    /// The address that it is given.
    var yours: IPAddress = .v4(0)
    /// The address that it asks for.
    var requested: IPAddress?
    /// Who is meant, or who answers.
    var server: IPAddress?
    var mask: IPAddress?
    var router: IPAddress?
    /// Seconds.
    var lease: UInt32?
    /// Seconds until the server is asked to renew the lease.
    var renewal: UInt32?
    /// Seconds until any server is asked.
    var rebinding: UInt32?
    var hostname: String?
    var nameServers: [IPAddress] = []
}

// MARK: - Bytes

extension DHCPMessage {
    private static let cookie: [UInt8] = [99, 130, 83, 99]
    /// The fields of fixed length, and the cookie.
    private static let header = 240

    /// At least 300, as RFC 1542 has it.
    var bytes: [UInt8] {
        // A request, over Ethernet, by no relay.
        var bytes: [UInt8] = [1, 1, 6, 0] + DHCPMessage.bytes(transaction) + [0, 0, 0, 0]
        bytes += client.bytes + yours.bytes + [UInt8](repeating: 0, count: 8)
        bytes += mac.bytes + [UInt8](repeating: 0, count: 10 + 64 + 128) + DHCPMessage.cookie
        bytes += [53, 1, kind.rawValue, 61, 7, 1] + mac.bytes
        if let requested { bytes += [50, 4] + requested.bytes }
        if let server { bytes += [54, 4] + server.bytes }
        if kind == .discover || kind == .request {
            if let hostname, !hostname.isEmpty {
                bytes += [12, UInt8(hostname.utf8.prefix(63).count)] + hostname.utf8.prefix(63)
            }
            bytes += [55, 6, 1, 3, 6, 51, 58, 59]
        }
        bytes.append(255)
        return bytes + [UInt8](repeating: 0, count: max(0, 300 - bytes.count))
    }

    /// A server's answer; `nil` for all else.
    init?(bytes: [UInt8]) {
        guard bytes.count >= DHCPMessage.header, bytes[0] == 2, bytes[1] == 1, bytes[2] == 6,
            Array(bytes[236..<240]) == DHCPMessage.cookie, let mac = MACAddress(bytes: bytes[28..<34]),
            let options = DHCPMessage.options(bytes[DHCPMessage.header...]),
            let type = options[53], type.count == 1, let kind = Kind(rawValue: type[0])
        else { return nil }
        self.init(kind: kind, transaction: DHCPMessage.number(bytes[4..<8]), mac: mac)
        yours = .v4(DHCPMessage.number(bytes[16..<20]))
        func address(_ code: UInt8) -> IPAddress? {
            // A list's first.
            guard let value = options[code], value.count >= 4 else { return nil }
            return .v4(DHCPMessage.number(value[..<4]))
        }
        func seconds(_ code: UInt8) -> UInt32? {
            guard let value = options[code], value.count == 4 else { return nil }
            return DHCPMessage.number(value[...])
        }
        (server, mask, router) = (address(54), address(1), address(3))
        (lease, renewal, rebinding) = (seconds(51), seconds(58), seconds(59))
        let servers = options[6] ?? []
        nameServers = stride(from: 0, to: servers.count - 3, by: 4).map {
            .v4(DHCPMessage.number(servers[$0..<($0 + 4)]))
        }
    }

    /// By their codes; `nil` when one is longer than what is left. Parts of one are put together (RFC 3396).
    private static func options(_ bytes: ArraySlice<UInt8>) -> [UInt8: [UInt8]]? {
        var options: [UInt8: [UInt8]] = [:]
        var place = bytes.startIndex
        while place < bytes.endIndex {
            let code = bytes[place]
            place += 1
            if code == 0 { continue }
            if code == 255 { break }
            guard place < bytes.endIndex else { return nil }
            let end = place + 1 + Int(bytes[place])
            if end > bytes.endIndex { return nil }
            options[code, default: []] += bytes[(place + 1)..<end]
            place = end
        }
        return options
    }

    private static func bytes(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
}

/// What a DHCP server has given.
struct DynamicLease: Equatable {
    var address: IPPrefix
    var router: IPAddress?
    var server: IPAddress
    /// Seconds; `nil`: for ever.
    var seconds: UInt32?
    /// Seconds until the server is asked to renew it, and until any is.
    var renewal: UInt32
    var rebinding: UInt32
    var nameServers: [IPAddress]

    /// `nil` for an answer that gives no usable address.
    init?(_ message: DHCPMessage) {
        guard message.kind == .ack || message.kind == .offer, let server = message.server else { return nil }
        let length: Int
        if let mask = message.mask {
            // Ones, then noughts.
            length = UInt32(truncatingIfNeeded: mask.number).leadingOnes
            guard IPPrefix(mask, length: length)?.mask == mask else { return nil }
        } else {
            length = 24
        }
        let yours = message.yours
        guard let prefix = IPPrefix(yours, length: length), !yours.isUnspecified, !yours.isMulticast,
            !yours.isLoopback, prefix.hosts.contains(yours)
        else { return nil }
        address = prefix
        router = message.router.flatMap { prefix.contains($0) && $0 != yours ? $0 : nil }
        self.server = server
        seconds = message.lease.flatMap { $0 == .max ? nil : max($0, 2) }
        let lease = seconds ?? .max
        renewal = min(message.renewal ?? lease / 2, lease)
        rebinding = min(max(message.rebinding ?? lease / 8 * 7, renewal), lease)
        nameServers = message.nameServers.filter { !$0.isMulticast && !$0.isUnspecified }
    }
}

extension UInt32 {
    fileprivate var leadingOnes: Int { (~self).leadingZeroBitCount }
}
