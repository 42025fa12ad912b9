import CLinux
import Glibc
import Kernel

/// The cookie that a box's X clients show (Xsecurity(7)).
struct Authority {
    static let kind = "MIT-MAGIC-COOKIE-1"
    static let size = 16
    let cookie: [UInt8]

    init(_ cookie: [UInt8]) { self.cookie = cookie }

    /// One that nobody knows yet.
    init() { cookie = (0..<Authority.size).map { _ in UInt8.random(in: .min ... .max) } }

    /// Writes it for the process's user alone: one entry for every display (FamilyWild), in the format of libXau, which
    /// is numbers of two bytes, the highest first, and counted texts.
    func write() throws(SystemError) {
        var bytes: [UInt8] = [0xff, 0xff]
        func add(_ text: [UInt8]) { bytes += [UInt8(text.count >> 8), UInt8(text.count & 0xff)] + text }
        add([])
        add([])
        add(Array(Authority.kind.utf8))
        add(cookie)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        let file = try Descriptor(open: DisplayPlan.authority, flags, mode: 0o600)
        let action = "write \(DisplayPlan.authority)"
        let written = try check(action) { Int32(Glibc.write(file.number, bytes, bytes.count)) }
        if Int(written) != bytes.count { throw SystemError(action, code: EIO) }
    }
}
