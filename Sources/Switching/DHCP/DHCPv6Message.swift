import Addresses

/// A message of DHCP for IPv6 (RFC 8415, with the options that a client of one address needs).
struct DHCPv6Message: Equatable {
    enum Kind: UInt8 {
        case solicit = 1
        case advertise, request, confirm, renew, rebind, reply, release, decline
    }

    static let serverPort: UInt16 = 547
    static let clientPort: UInt16 = 546
    /// All_DHCP_Relay_Agents_and_Servers.
    static let servers = IPAddress.v6(0xFF02_0000_0000_0000_0000_0000_0001_0002)

    var kind: Kind
    /// The same in an answer; 24 bits.
    var transaction: UInt32
    /// Who asks, and who answers (DUIDs).
    var client: [UInt8]
    var server: [UInt8]?
    /// What is asked for, or given (IA_NA).
    var association: Association?
    var status: Status?
    var nameServers: [IPAddress] = []
    /// A label of the DNS.
    var hostname: String?
    /// Hundredths of a second since the first message of an exchange.
    var elapsed: UInt16 = 0

    struct Association: Equatable {
        var id: UInt32
        /// Seconds until the server is asked to renew it, and until any is; 0: the client may choose.
        var renewal: UInt32 = 0
        var rebinding: UInt32 = 0
        var addresses: [Given] = []
        var status: Status?
    }

    struct Given: Equatable {
        var address: IPAddress
        /// Seconds.
        var preferred: UInt32 = 0
        var valid: UInt32 = 0
        var status: Status?
    }

    /// Why something is not given, as the server says it.
    struct Status: Equatable {
        var code: UInt16
        var text: String

        static let noAddress: UInt16 = 2
        static let noBinding: UInt16 = 3

        /// Its name in RFC 8415, and the server's words.
        var description: String {
            let names = ["Success", "UnspecFail", "NoAddrsAvail", "NoBinding", "NotOnLink", "UseMulticast"]
            let name = Int(code) < names.count ? names[Int(code)] : "status \(code)"
            return text.isEmpty ? name : "\(name): \(text)"
        }
    }

    /// That of a hardware address alone (DUID-LL): the same whenever the interface comes back.
    static func identifier(_ mac: MACAddress) -> [UInt8] { [0, 3, 0, 1] + mac.bytes }
}

// MARK: - Bytes

extension DHCPv6Message {
    /// Codes of options.
    private enum Code {
        static let client: UInt16 = 1
        static let server: UInt16 = 2
        static let association: UInt16 = 3
        static let address: UInt16 = 5
        static let requested: UInt16 = 6
        static let elapsed: UInt16 = 8
        static let status: UInt16 = 13
        static let nameServers: UInt16 = 23
        static let name: UInt16 = 39
    }

    var bytes: [UInt8] {
        var bytes = [kind.rawValue] + DHCPv6Message.bytes(transaction)[1...]
        func put(_ code: UInt16, _ value: [UInt8]) {
            bytes += DHCPv6Message.bytes(code) + DHCPv6Message.bytes(UInt16(value.count)) + value
        }
        put(Code.client, client)
        if let server { put(Code.server, server) }
        put(Code.elapsed, DHCPv6Message.bytes(elapsed))
        if let association {
            var value = DHCPv6Message.bytes(association.id)
            // What a client asks for has no times.
            value += [UInt8](repeating: 0, count: 8)
            for given in association.addresses {
                value += DHCPv6Message.bytes(Code.address) + [0, 24] + given.address.bytes
                value += DHCPv6Message.bytes(given.preferred) + DHCPv6Message.bytes(given.valid)
            }
            put(Code.association, value)
        }
        if kind == .release || kind == .decline { return bytes }
        put(Code.requested, DHCPv6Message.bytes(Code.nameServers))
        if let hostname, (1...63).contains(hostname.utf8.count) {
            // Not a full name: without the root at its end.
            put(Code.name, [0, UInt8(hostname.utf8.count)] + hostname.utf8)
        }
        return bytes
    }

    /// A server's answer; `nil` for all else.
    init?(bytes: [UInt8]) {
        guard bytes.count >= 4, let kind = Kind(rawValue: bytes[0]), kind == .advertise || kind == .reply,
            let options = DHCPv6Message.options(bytes[4...]),
            let client = options.first(where: { $0.code == Code.client })
        else { return nil }
        self.init(kind: kind, transaction: DHCPv6Message.number(bytes[1..<4]), client: Array(client.value))
        for (code, value) in options {
            switch code {
            case Code.server: server = server ?? Array(value)
            case Code.association where association == nil: association = DHCPv6Message.association(value)
            case Code.status: status = DHCPv6Message.status(value)
            case Code.nameServers:
                nameServers += stride(from: value.startIndex, to: value.endIndex - 15, by: 16).compactMap {
                    IPAddress(bytes: value[$0..<($0 + 16)])
                }
            default: break
            }
        }
    }

    private static func association(_ bytes: ArraySlice<UInt8>) -> Association? {
        let start = bytes.startIndex
        guard bytes.count >= 12, let options = options(bytes[(start + 12)...]) else { return nil }
        var association = Association(id: number(bytes[start..<(start + 4)]))
        association.renewal = number(bytes[(start + 4)..<(start + 8)])
        association.rebinding = number(bytes[(start + 8)..<(start + 12)])
        for (code, value) in options {
            switch code {
            case Code.address: if let given = given(value) { association.addresses.append(given) }
            case Code.status: association.status = status(value)
            default: break
            }
        }
        return association
    }

    private static func given(_ bytes: ArraySlice<UInt8>) -> Given? {
        let start = bytes.startIndex
        guard bytes.count >= 24, let address = IPAddress(bytes: bytes[start..<(start + 16)]),
            let options = options(bytes[(start + 24)...])
        else { return nil }
        var given = Given(address: address)
        given.preferred = number(bytes[(start + 16)..<(start + 20)])
        given.valid = number(bytes[(start + 20)..<(start + 24)])
        given.status = options.first { $0.code == Code.status }.flatMap { status($0.value) }
        return given
    }

    /// `nil` for success, too.
    private static func status(_ bytes: ArraySlice<UInt8>) -> Status? {
        guard bytes.count >= 2 else { return nil }
        let code = UInt16(number(bytes.prefix(2)))
        // It comes from the network and goes to a terminal.
        let text = bytes.dropFirst(2).prefix(80).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        return code == 0 ? nil : Status(code: code, text: String(decoding: text, as: UTF8.self))
    }

    /// In order; `nil` when one is longer than what is left.
    private static func options(_ bytes: ArraySlice<UInt8>) -> [(code: UInt16, value: ArraySlice<UInt8>)]? {
        var options: [(code: UInt16, value: ArraySlice<UInt8>)] = []
        var rest = bytes
        while !rest.isEmpty {
            let start = rest.startIndex
            guard rest.count >= 4 else { return nil }
            let length = Int(number(rest[(start + 2)..<(start + 4)]))
            guard rest.count >= 4 + length else { return nil }
            options.append((UInt16(number(rest[start..<(start + 2)])), rest[(start + 4)..<(start + 4 + length)]))
            rest = rest[(start + 4 + length)...]
        }
        return options
    }

    private static func bytes(_ number: UInt16) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
    private static func bytes(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
}

/// What a DHCP server has given of IPv6.
struct DynamicLease6: Equatable {
    /// Alone: what else is on the link is the routers' to say.
    var address: IPPrefix
    /// The server's DUID.
    var server: [UInt8]
    /// Seconds for which connections are begun from the address, and until it is gone; `nil`: for ever.
    var preferred: UInt32?
    var seconds: UInt32?
    /// Seconds until the server is asked to renew it, and until any is.
    var renewal: UInt32
    var rebinding: UInt32
    var nameServers: [IPAddress]

    /// `nil` for an answer that gives no usable address.
    init?(_ message: DHCPv6Message) {
        guard message.status == nil, let server = message.server, let association = message.association,
            association.status == nil,
            let given = association.addresses.first(where: { DynamicLease6.isUsable($0) })
        else { return nil }
        // Such an answer is to be passed over (RFC 8415, 21.4).
        if association.renewal > association.rebinding, association.rebinding > 0 { return nil }
        address = IPPrefix(given.address)
        self.server = server
        preferred = given.preferred == .max ? nil : given.preferred
        seconds = given.valid == .max ? nil : given.valid
        let chosen = given.preferred == 0 ? given.valid : given.preferred
        renewal = association.renewal == 0 ? max(chosen / 2, 1) : association.renewal
        rebinding = association.rebinding == 0 ? max(chosen / 5 * 4, renewal) : association.rebinding
        (renewal, rebinding) = (min(renewal, given.valid), min(max(rebinding, renewal), given.valid))
        nameServers = message.nameServers.filter { !$0.isMulticast && !$0.isUnspecified && !$0.isLinkLocal }
    }

    private static func isUsable(_ given: DHCPv6Message.Given) -> Bool {
        let address = given.address
        return given.status == nil && given.valid > 0 && given.preferred <= given.valid && !address.isUnspecified
            && !address.isMulticast && !address.isLoopback && !address.isLinkLocal
    }
}
