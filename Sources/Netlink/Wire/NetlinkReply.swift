import CNetlink
import Glibc

/// One message from the kernel. Nothing in it is trusted: what does not fit reads as nil.
struct NetlinkReply {
    var type: Int
    var flags: Int32
    var sequence: UInt32
    /// What follows the header.
    var payload: ArraySlice<UInt8>

    static let headerLength = MemoryLayout<nlmsghdr>.size

    /// The structure that the payload begins with.
    func header<T: BitwiseCopyable>(_ type: T.Type) -> T? { load(type, payload) }

    /// The attributes behind that structure.
    func attributes<T>(after type: T.Type) -> NetlinkAttributes {
        NetlinkAttributes(payload.dropFirst(aligned(MemoryLayout<T>.size)))
    }

    /// Of an acknowledgement (`NLMSG_ERROR`) or the end of a dump (`NLMSG_DONE`): an errno value, 0 for success.
    var code: Int32 { load(Int32.self, payload).map { $0 < 0 ? -max($0, -4095) : 0 } ?? EBADMSG }

    /// The kernel's words about a failure (NLMSGERR_ATTR_MSG).
    var explanation: String? {
        if flags & NLM_F_ACK_TLVS == 0 { return nil }
        var offset = 4
        if type == Int(NLMSG_ERROR) {
            guard let request = load(nlmsghdr.self, payload.dropFirst(4)) else { return nil }
            offset += flags & NLM_F_CAPPED != 0 ? NetlinkReply.headerLength : aligned(Int(request.nlmsg_len))
        }
        return NetlinkAttributes(payload.dropFirst(offset))[Int(NLMSGERR_ATTR_MSG.rawValue)]?.text
    }
}

/// The messages that one datagram holds, up to the first that is not whole.
struct NetlinkReplies: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    init(in datagram: [UInt8]) { rest = datagram[...] }

    mutating func next() -> NetlinkReply? {
        guard let header = load(nlmsghdr.self, rest) else { return nil }
        let length = Int(header.nlmsg_len)
        if length < NetlinkReply.headerLength || length > rest.count { return nil }
        defer { rest = rest.dropFirst(aligned(length)) }
        return NetlinkReply(
            type: Int(header.nlmsg_type), flags: Int32(header.nlmsg_flags), sequence: header.nlmsg_seq,
            payload: rest.prefix(length).dropFirst(NetlinkReply.headerLength))
    }
}

/// Attributes one after the other (netlink(7), `struct nlattr`).
struct NetlinkAttributes {
    private let bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// The first of this type.
    subscript(type: Int) -> NetlinkAttribute? {
        let offset = bytes.withUnsafeBytes { bytes in
            var offset = 0
            while let header = NetlinkAttribute.header(bytes, at: offset), NetlinkAttribute.type(header) != type {
                offset += aligned(Int(header.nla_len))
            }
            return offset
        }
        var rest = bytes.dropFirst(offset)
        return NetlinkAttribute(takenFrom: &rest)
    }

    func forEach(_ body: (NetlinkAttribute) -> Void) {
        var rest = bytes
        while let attribute = NetlinkAttribute(takenFrom: &rest) { body(attribute) }
    }

    func number<T: FixedWidthInteger & BitwiseCopyable>(_ type: Int, as _: T.Type) -> T? { self[type]?.value(T.self) }
    func flag(_ type: Int) -> Bool? { number(type, as: UInt8.self).map { $0 != 0 } }
    func text(_ type: Int) -> String? { self[type]?.text }
}

struct NetlinkAttribute {
    var type: Int
    var bytes: ArraySlice<UInt8>

    init(_ type: Int, _ bytes: ArraySlice<UInt8>) { (self.type, self.bytes) = (type, bytes) }

    /// nil at the end, and when what is left is no whole attribute.
    init?(takenFrom rest: inout ArraySlice<UInt8>) {
        guard let header = rest.withUnsafeBytes({ NetlinkAttribute.header($0, at: 0) }) else { return nil }
        let length = Int(header.nla_len)
        type = NetlinkAttribute.type(header)
        bytes = rest.prefix(length).dropFirst(4)
        rest = rest.dropFirst(aligned(length))
    }

    /// nil at the end, and when what is left is no whole attribute.
    fileprivate static func header(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> nlattr? {
        guard bytes.count - offset >= MemoryLayout<nlattr>.size else { return nil }
        let header = bytes.loadUnaligned(fromByteOffset: offset, as: nlattr.self)
        return header.nla_len < 4 || Int(header.nla_len) > bytes.count - offset ? nil : header
    }

    /// Without the bits that say nested and network order.
    fileprivate static func type(_ header: nlattr) -> Int { Int(header.nla_type) & 0x3FFF }

    func value<T: BitwiseCopyable>(_ type: T.Type) -> T? { load(type, bytes) }
    /// Up to the first zero byte.
    var text: String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    var nested: NetlinkAttributes { NetlinkAttributes(bytes) }
}

/// The structure at the beginning of `bytes`; nil when there are too few.
private func load<T: BitwiseCopyable>(_ type: T.Type, _ bytes: ArraySlice<UInt8>) -> T? {
    bytes.withUnsafeBytes { $0.count < MemoryLayout<T>.size ? nil : $0.loadUnaligned(as: type) }
}

private func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
