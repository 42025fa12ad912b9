/// Where a message bus listens, of the forms that the D-Bus specification has ("Server Addresses") those of this machine.
public enum BusAddress: Sendable, Equatable {
    case path(String)
    case abstract(String)

    /// The first that can be used of `unix:path=/run/user/1000/bus,guid=…;…`.
    init?(_ text: String) {
        for entry in text.split(separator: ";") where entry.hasPrefix("unix:") {
            for pair in entry.dropFirst(5).split(separator: ",") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, let value = BusAddress.plain(parts[1]) else { continue }
                switch parts[0] {
                case "path" where value.hasPrefix("/"):
                    self = .path(value)
                    return
                case "abstract":
                    self = .abstract(value)
                    return
                default: continue
                }
            }
        }
        return nil
    }

    /// As programs read it.
    public var text: String {
        switch self {
        case .path(let path): "unix:path=" + BusAddress.escaped(path)
        case .abstract(let name): "unix:abstract=" + BusAddress.escaped(name)
        }
    }

    /// `%2c` is a comma.
    private static func plain(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func escaped(_ text: String) -> String {
        let plain = Set("-_/.*ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        var escaped = ""
        for byte in text.utf8 {
            if plain.contains(byte) {
                escaped += String(decoding: [byte], as: UTF8.self)
            } else {
                let digits = String(byte, radix: 16)
                escaped += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return escaped
    }
}
