import CLinux
import Glibc

/// A process for good: a pid is given out again, a pid with its start time is not (proc_pid_stat(5), field 22).
public struct ProcessIdentity: Sendable, Equatable {
    public var pid: Int32
    /// Clock ticks after boot.
    public var start: UInt64

    /// `nil` when there is no such process.
    public init?(pid: Int32) throws(SystemError) {
        let text: String
        do throws(SystemError) {
            text = try readText("/proc/\(pid)/stat")
        } catch {
            if error.code == ENOENT || error.code == ESRCH { return nil }
            throw error
        }
        guard let start = Self.start(inStat: text) else { throw SystemError("read /proc/\(pid)/stat", code: EPROTO) }
        self.pid = pid
        self.start = start
    }

    /// The calling process.
    public static func own() throws(SystemError) -> ProcessIdentity {
        guard let own = try ProcessIdentity(pid: getpid()) else { throw SystemError("look at myself", code: ESRCH) }
        return own
    }

    public init(pid: Int32, start: UInt64) {
        self.pid = pid
        self.start = start
    }

    /// The owner in the name of a leaf, "WHAT-PID-START".
    init?(leaf name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 3, let pid = Int32(parts[parts.count - 2]), let start = UInt64(parts[parts.count - 1]),
            pid > 0
        else { return nil }
        self.pid = pid
        self.start = start
    }

    /// Counts from behind the command's name, which may hold spaces and brackets.
    static func start(inStat text: String) -> UInt64? {
        guard let end = text.utf8.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        // Bytes: this is read at every launch, and characters take twenty times as long.
        var (field, value, hasDigits) = (-1, UInt64(0), false)
        for byte in text.utf8[text.utf8.index(after: end)...] {
            if byte == UInt8(ascii: " ") {
                if field == 19 { break }
                field += 1
            } else if field == 19 {
                guard case 0x30...0x39 = byte else { break }
                (value, hasDigits) = (value &* 10 &+ UInt64(byte - 0x30), true)
            }
        }
        return hasDigits ? value : nil
    }

    var suffix: String { "-\(pid)-\(start)" }
    /// Where the launcher waits while its own group must be free of processes.
    var launcherName: String { "@launcher" + suffix }

    /// Whether the process, and no other under its number, still runs. One that has ended and that nobody has waited for
    /// does not; one whose first thread alone has ended does.
    public func isAlive() throws(SystemError) -> Bool {
        let number = linux_pidfd_open(pid, 0)
        if number < 0, errno == ESRCH || errno == EINVAL { return false }
        let descriptor = Descriptor(try check("hold process \(pid)") { number })
        guard try ProcessIdentity(pid: pid) == self else { return false }
        var wait = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, 0) == 0
    }
}
