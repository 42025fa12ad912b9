import CLinux
import Glibc
import Kernel
import Launch

/// `sandbox receive` on another host, reached by ssh(1): what it says are lines, a word and its text.
final class RemoteHost {
    /// Where it reads.
    let input: Int32
    /// What it says.
    let output: Int32
    private let pid: Int32
    let host: String
    private var said: [UInt8] = []
    private var isOver = false

    /// Words of the conversation.
    enum Word: String {
        /// It can take the sandbox.
        case ready
        /// The sandbox is there, and stays when it is told so.
        case restored
        /// All of its memory is there, too.
        case whole
        /// It stays.
        case done
        /// What is in the way.
        case failed
    }

    /// What comes next, where copies of memory come before the snapshot: one byte.
    enum Part: UInt8 {
        case copy = 0x72
        case snapshot = 0x73
    }

    /// The one byte that lets the sandbox stay there.
    static let commit: UInt8 = 0x63

    /// - Parameter ssh: the program that runs a command on a host, and its options.
    /// - Parameter command: what is run there, for a shell.
    init(_ host: String, ssh: [String], command: String) throws(LaunchError) {
        self.host = host
        guard let program = ssh.first, let path = findInPath(program) else {
            throw LaunchError("the program \(ssh.first ?? "ssh") is missing", mend: "apt-get install openssh-client")
        }
        // No host's name is an option.
        if host.isEmpty || host.hasPrefix("-") {
            throw LaunchError("\"\(host)\" is no host", mend: "write [USER@]HOST")
        }
        do throws(SystemError) {
            let (to, from) = (try makePipe("start ssh"), try makePipe("start ssh"))
            (input, output) = (to.write, from.read)
            pid = try startChild(in: []) {
                guard dup2(to.read, 0) == 0, dup2(from.write, 1) == 1 else { _exit(125) }
                _ = linux_close_range(3, UInt32.max, 0)
                withCStrings([program] + ssh.dropFirst() + ["--", host, command]) { words in
                    _ = execve(path, words, Glibc.environ)
                }
                _exit(127)
            }
            close(to.read)
            close(from.write)
        } catch {
            throw LaunchError(error)
        }
    }

    /// Waits until it says that.
    func expect(_ word: Word) throws(LaunchError) {
        guard let line = try line() else {
            throw LaunchError("\(host): the connection has ended before the sandbox was \(word.rawValue)")
        }
        if line == word.rawValue || line.hasPrefix(word.rawValue + " ") { return }
        let failed = Word.failed.rawValue + " "
        throw LaunchError("\(host): \(line.hasPrefix(failed) ? String(line.dropFirst(failed.count)) : line)")
    }

    /// Says what comes next.
    func announce(_ part: Part) throws(LaunchError) {
        try heeding { () throws(LaunchError) in
            try translated { () throws(SystemError) in
                try writeBytes([part.rawValue], to: input, name: "what goes to \(host)")
            }
        }
    }

    /// Sends something. Where that fails the other host knows better what is wrong, when it has ended the conversation.
    func heeding(_ send: () throws(LaunchError) -> Void) throws(LaunchError) {
        do throws(LaunchError) { try send() } catch {
            try expect(.restored)
            throw error
        }
    }

    func commit() throws(LaunchError) {
        try translated { () throws(SystemError) in
            try writeBytes([RemoteHost.commit], to: input, name: "what goes to \(host)")
        }
    }

    private func line() throws(LaunchError) -> String? {
        while true {
            if let end = said.firstIndex(of: 0x0a) {
                let line = String(decoding: said[..<end], as: UTF8.self)
                said.removeSubrange(...end)
                return line
            }
            if said.count > 1 << 16 { throw LaunchError("\(host): what it says is nothing of sandbox's") }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let output = output
            let count = try translated { () throws(SystemError) in
                try check("hear from \(host)") { Int32(read(output, &bytes, bytes.count)) }
            }
            if count == 0 { return nil }
            said += bytes[..<Int(count)]
        }
    }

    /// Lets go of it and waits for its end.
    func end() {
        if isOver { return }
        isOver = true
        close(input)
        close(output)
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }

    deinit { end() }
}

/// The first executable file of that name in PATH; a path stays what it is.
private func findInPath(_ program: String) -> String? {
    if program.contains("/") { return access(program, X_OK) == 0 ? program : nil }
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    return path.split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
}
