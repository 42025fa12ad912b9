import CLinux
import Glibc

/// A compiled filter: the instructions that seccomp(2) takes, ready to be installed without any further work.
public struct SeccompProgram: Sendable, Equatable {
    /// `struct sock_filter` after `struct sock_filter`, as linux/filter.h lays them out.
    public let bytes: [UInt8]

    /// The number of instructions, at most 4,096.
    public var count: Int { bytes.count / MemoryLayout<sock_filter>.stride }

    /// A program kept from an earlier `SeccompFilter.compile()`; the kernel checks it when it is installed.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Puts the calling thread, and what it executes, under the filter for good (seccomp(2)).
    ///
    /// Needs no_new_privs or CAP_SYS_ADMIN; without either the kernel says EACCES. With `logDenials` every denied call
    /// goes to the audit log.
    public func install(logDenials: Bool = false) throws(SystemError) {
        let count = UInt16(truncatingIfNeeded: self.count)
        let flags = logDenials ? Self.logFlag : 0
        try check("install the system call filter") {
            bytes.withUnsafeBytes { raw in
                raw.withMemoryRebound(to: sock_filter.self) { code in
                    var program = sock_fprog(len: count, filter: UnsafeMutablePointer(mutating: code.baseAddress))
                    return linux_seccomp(UInt32(SECCOMP_SET_MODE_FILTER), flags, &program)
                }
            }
        }
    }

    /// SECCOMP_FILTER_FLAG_LOG, a macro with a cast that Swift does not import.
    private static let logFlag: UInt32 = 2
}
