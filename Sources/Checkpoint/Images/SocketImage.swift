public import Addresses
import Launch

/// What becomes of a box's own addresses when it comes back.
public struct AddressChanges: Sendable, Equatable {
    /// From an address that it had to the one in its place.
    public var moved: [IPAddress: IPAddress] = [:]
    /// Those with none in their place.
    public var gone: Set<IPAddress> = []

    public init() {}

    public var isEmpty: Bool { moved.isEmpty && gone.isEmpty }

    /// Compares the addresses of one interface, before and now: of each family the first takes the place of the first,
    /// and so on; of those that are too many the last is taken again.
    public mutating func add(before: [IPAddress], now: [IPAddress]) {
        for family in [IPFamily.v4, .v6] {
            let old = before.filter { $0.family == family }
            let new = now.filter { $0.family == family }
            for (index, address) in old.enumerated() {
                guard let last = new.last else {
                    gone.insert(address)
                    continue
                }
                let next = new.indices.contains(index) ? new[index] : last
                if next != address { moved[address] = next }
            }
        }
    }
}

/// CRIU's image of open files, `files.img`, in which the sockets of the internet families are: two magic numbers, then
/// messages, each behind its length.
enum SocketImage {
    static let file = "files.img"
    /// CRIU's magic numbers for images and for this one.
    private static let magic: [UInt8] = [0x19, 0x43, 0x56, 0x54, 0x38, 0x31, 0x30, 0x56]
    /// Of `file_entry` (fdinfo.proto), and of `inet_sk_entry` (sk-inet.proto).
    private static let internetSocket = 4
    private static let (port, source, target) = (7, 11, 12)

    /// The image with the box's own addresses changed: those that sockets are bound to, and those that they are
    /// connected to, for connections of a box with itself.
    /// - Throws: for an image that cannot be read, and for a socket whose address has none in its place.
    static func readdressed(_ image: [UInt8], _ changes: AddressChanges) throws(LaunchError) -> [UInt8] {
        guard image.starts(with: magic) else { throw unread }
        var rest = image[magic.count...]
        var changed = magic
        while !rest.isEmpty {
            guard rest.count >= 4 else { throw unread }
            let size = Int(rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
            rest = rest.dropFirst(4)
            guard size <= rest.count, let message = WireMessage(rest.prefix(size)) else { throw unread }
            rest = rest.dropFirst(size)
            let bytes = try readdressed(message, changes).encoded
            withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { changed += $0 }
            changed += bytes
        }
        return changed
    }

    private static func readdressed(
        _ file: WireMessage, _ changes: AddressChanges
    ) throws(LaunchError) -> WireMessage {
        var file = file
        for index in file.fields.indices where file.fields[index].number == internetSocket {
            guard case .bytes(let bytes) = file.fields[index].content, var socket = WireMessage(bytes) else {
                throw unread
            }
            for field in [source, target] {
                guard let words = socket.numbers(field) else { throw unread }
                guard let address = IPAddress(words: words) else { continue }
                let own = address.unmapped
                if field == source, changes.gone.contains(own) {
                    throw LaunchError(
                        "a socket is bound to \(own), port \(socket.number(port) ?? 0), which the sandbox no longer has",
                        mend: "give it an address of that family with --address")
                }
                guard let moved = changes.moved[own] else { continue }
                socket.set(field, (own == address ? moved : moved.mapped).words)
            }
            file.fields[index].content = .bytes(socket.encoded[...])
        }
        return file
    }

    private static var unread: LaunchError {
        LaunchError(
            "the snapshot's \(file) cannot be read", mend: "is it of a newer CRIU? restore it with the same addresses")
    }
}

extension IPAddress {
    /// From the words of an in_addr or in6_addr, as CRIU keeps them: the machine's numbers of the bytes in memory.
    fileprivate init?(words: [UInt64]) {
        var bytes: [UInt8] = []
        for word in words {
            guard let word = UInt32(exactly: word) else { return nil }
            withUnsafeBytes(of: word) { bytes += $0 }
        }
        self.init(bytes: bytes[...])
    }

    fileprivate var words: [UInt64] {
        stride(from: 0, to: bytes.count, by: 4).map { start in
            bytes.withUnsafeBytes { UInt64($0.loadUnaligned(fromByteOffset: start, as: UInt32.self)) }
        }
    }

    private static let mapping = UInt128(0xffff) << 32

    /// The IPv4 address in an IPv6 one that stands for it (RFC 4291, 2.5.5.2); itself otherwise.
    fileprivate var unmapped: IPAddress {
        guard case .v6(let bits) = self, bits >> 32 == 0xffff else { return self }
        return .v4(UInt32(truncatingIfNeeded: bits))
    }

    /// The opposite of ``unmapped``.
    fileprivate var mapped: IPAddress {
        guard case .v4(let bits) = self else { return self }
        return .v6(IPAddress.mapping | UInt128(bits))
    }
}
