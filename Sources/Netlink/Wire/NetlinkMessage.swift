import CNetlink
import Glibc

/// One request to the kernel (netlink(7)): what links, addresses, routes and so on are made, changed and deleted with.
///
/// Made by the functions that name what they do (`NetlinkMessage.add(_:to:)`), sent by a ``NetlinkSocket``, alone or
/// many at a time, as often as wished.
public final class NetlinkMessage {
    /// What it does, in the user's words: "add the address 10.1.0.5/24".
    public var action: String { words() }
    /// Put together for a failure only.
    private let words: () -> String
    private let message: OpaquePointer?
    /// Whether something did not fit.
    private var overflows = false

    /// - Parameter action: see ``action``.
    /// - Parameter type: `RTM_NEWLINK` and its like.
    /// - Parameter flags: `NLM_F_CREATE` and its like; request and acknowledgement go without saying.
    /// - Parameter capacity: bytes that it can have.
    init(_ action: @escaping @autoclosure () -> String, _ type: Int, flags: Int32 = 0, capacity: Int = 4096) {
        words = action
        message = nlmsg_alloc_size(capacity)
        if message == nil || nlmsg_put(message, 0, 0, Int32(type), 0, flags) == nil { overflows = true }
    }

    deinit { if message != nil { nlmsg_free(message) } }

    /// The bytes, appended with this sequence number and these flags in addition; false when they are not whole.
    func write(to buffer: inout [UInt8], sequence: UInt32, flags: Int32) -> Bool {
        guard !overflows, let header = nlmsg_hdr(message) else { return false }
        header.pointee.nlmsg_seq = sequence
        header.pointee.nlmsg_flags |= UInt16(flags)
        buffer.append(contentsOf: UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len)))
        while buffer.count % 4 != 0 { buffer.append(0) }
        return true
    }

    // Building: a structure, then attributes.

    /// `ifinfomsg` and its like: at the beginning of a message, or of a nest.
    func header<T: BitwiseCopyable>(_ value: T) {
        withUnsafeBytes(of: value) { bytes in
            let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            if nlmsg_append(message, start, bytes.count, 4) != 0 { overflows = true }
        }
    }

    /// An attribute that is a plain number, or a structure, in the machine's order.
    func put<T: BitwiseCopyable>(_ type: Int, _ value: T) {
        withUnsafeBytes(of: value) { put(type, raw: $0) }
    }

    func put(_ type: Int, bytes: [UInt8]) { bytes.withUnsafeBytes { put(type, raw: $0) } }

    /// With a zero byte at its end.
    func put(_ type: Int, text: String) {
        var text = text + "\0"
        text.withUTF8 { put(type, raw: UnsafeRawBufferPointer($0)) }
    }

    func put(_ type: Int, flag: Bool) { put(type, UInt8(flag ? 1 : 0)) }

    /// What is nil is left out.
    func put<T: BitwiseCopyable>(_ type: Int, ifGiven value: T?) { if let value { put(type, value) } }

    func put(_ type: Int, ifGiven flag: Bool?) { if let flag { put(type, flag: flag) } }

    private func put(_ type: Int, raw bytes: UnsafeRawBufferPointer) {
        if nla_put(message, Int32(type), Int32(bytes.count), bytes.baseAddress) != 0 { overflows = true }
    }

    /// An attribute that holds what `body` puts.
    func nest(_ type: Int, _ body: () -> Void) {
        guard let start = nla_nest_start(message, Int32(type)) else {
            overflows = true
            return
        }
        body()
        if nla_nest_end_keep_empty(message, start) != 0 { overflows = true }
    }
}
