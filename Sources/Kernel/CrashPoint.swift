#if DEBUG
    import CLinux
    import Glibc
#endif

/// Steps at which a debug build kills itself when it is told to, so that tests see what is left then and what becomes
/// of that. In a release build there is nothing of it.
///
/// `SANDBOX_CRASH=FILE:ROLE:N` in the environment: every step of every process that has a part in a command adds a line
/// "ROLE STEP" to FILE, and the process that passes the N-th step of ROLE kills itself there. With N = 0 nobody does.
public enum CrashPoint {
    /// A step has been taken.
    @inlinable @inline(__always)
    public static func pass(_ step: @autoclosure () -> String) {
        #if DEBUG
            reach(step())
        #endif
    }

    /// This process goes on as another than the one that the user started.
    @inlinable @inline(__always)
    public static func enter(_ role: @autoclosure () -> String) {
        #if DEBUG
            self.role = role()
        #endif
    }

    /// What stays open for it when all else is closed.
    @inlinable @inline(__always)
    public static var descriptors: [Int32] {
        #if DEBUG
            return kept
        #else
            return []
        #endif
    }

    /// The words that hand it on to a program that is executed without this one's environment.
    @inlinable @inline(__always)
    public static var words: [String] {
        #if DEBUG
            return setting.map { ["crash", $0] } ?? []
        #else
            return []
        #endif
    }
}

#if DEBUG
    extension CrashPoint {
        private static let variable = "SANDBOX_CRASH"
        /// Out of the way of what a box keeps open, below the usual limit.
        private static let descriptor: Int32 = 1000
        /// One thread per process, in all that is counted.
        @usableFromInline nonisolated(unsafe) static var role = "main"

        @usableFromInline static var setting: String? { getenv(variable).map { String(cString: $0) } }

        @usableFromInline static var kept: [Int32] { fcntl(descriptor, F_GETFD) < 0 ? [] : [descriptor] }

        /// The opposite of ``words``.
        public static func adopt(_ setting: String) { setenv(variable, setting, 1) }

        @usableFromInline static func reach(_ step: String) {
            guard let setting else { return }
            let parts = setting.split(separator: ":")
            guard parts.count >= 3, let number = Int(parts[parts.count - 1]) else { return }
            let passed = steps(in: parts[..<(parts.count - 2)].joined(separator: ":"))
            var line = "\(role) \(step)\n"
            line.withUTF8 { bytes in _ = write(descriptor, bytes.baseAddress, bytes.count) }
            guard parts[parts.count - 2] == role, passed + 1 == number else { return }
            kill(getpid(), SIGKILL)
            // Process 1 of a pid namespace cannot kill itself.
            _exit(128 + SIGKILL)
        }

        /// How many steps this role has taken, in whatever process.
        private static func steps(in file: String) -> Int {
            if kept.isEmpty {
                let opened = Descriptor(linux_open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666))
                dup3(opened.number, descriptor, O_CLOEXEC)
            }
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            // The offset is shared with the other processes.
            while true {
                let count = pread(descriptor, &buffer, buffer.count, bytes.count)
                if count <= 0 { break }
                bytes += buffer[..<count]
            }
            let own = Array("\(role) ".utf8)
            return bytes.split(separator: 0x0a).filter { $0.starts(with: own) }.count
        }
    }
#endif
