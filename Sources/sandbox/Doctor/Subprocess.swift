import CLinux
import Glibc

/// A program run to its end, with no input and its output kept.
struct Subprocess {
    /// What wait(2) says; nil when it could not be started or took too long.
    var status: Int32?
    var output: String

    /// Starts `path` with posix_spawn(3) and waits at most `seconds`.
    static func run(_ path: String, _ arguments: [String], seconds: Int = 5) -> Subprocess {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { return Subprocess(status: nil, output: "") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, path, &actions, nil, &words, Glibc.environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard failure == 0 else { return Subprocess(status: nil, output: "") }
        let output = read(from: ends[0], seconds: seconds)
        if output == nil { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return Subprocess(status: output == nil ? nil : status, output: output ?? "")
    }

    var succeeded: Bool { status == 0 }

    /// The exit status; nil when it did not end by exit(3).
    var exitStatus: Int32? {
        status.flatMap { linux_exited($0) != 0 ? linux_exit_status($0) : nil }
    }

    /// Everything until the other end is closed; nil after `seconds` of silence.
    private static func read(from descriptor: Int32, seconds: Int) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, Int32(seconds) * 1000)
            if ready < 0 && errno == EINTR { continue }
            if ready <= 0 { return nil }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The first executable file called `name` in PATH, and then where administrators' programs are.
func findProgram(_ name: String) -> String? {
    let path = environmentVariable("PATH") ?? ""
    let folders = path.split(separator: ":").map { String($0) } + ["/usr/local/sbin", "/usr/sbin", "/sbin"]
    return folders.map { $0 + "/" + name }.first { access($0, X_OK) == 0 }
}
