import CLinux
import Glibc
import Kernel

/// A program that an archive passes through on its way: age(1) or gpg(1), which encrypt, decrypt, sign and verify.
final class ArchiveFilter {
    enum Program: String {
        case age, gpg
    }

    private let program: Program
    private let process: Int32
    private let complaints: Int32
    /// What it has said, once it has ended.
    private(set) var said: [String] = []
    private var isOver = false

    /// What both need to find keys; gpg asks its agent, and that one its owner.
    private static let variables = ["HOME", "GNUPGHOME", "GPG_TTY", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY"]

    /// Starts it.
    /// - Parameter input: what it reads; - Parameter output: what it writes. Both stay the caller's.
    init(_ program: Program, _ arguments: [String], from input: Int32, to output: Int32) throws(SnapshotError) {
        self.program = program
        let path = try ArchiveFilter.find(program)
        let environment = ArchiveFilter.environment
        do throws(SystemError) {
            let words = try makePipe("start \(program)")
            complaints = words.read
            process = try startChild(in: []) {
                signal(SIGPIPE, SIG_DFL)
                // None of them may be in the way of another.
                let (from, to, errors) = (
                    linux_fcntl(input, F_DUPFD_CLOEXEC, 10), linux_fcntl(output, F_DUPFD_CLOEXEC, 10),
                    linux_fcntl(words.write, F_DUPFD_CLOEXEC, 10)
                )
                guard dup2(from, 0) == 0, dup2(to, 1) == 1, dup2(errors, 2) == 2 else { _exit(125) }
                _ = linux_close_range(3, UInt32.max, 0)
                withCStrings([path] + arguments) { words in
                    withCStrings(environment) { environment in _ = execve(path, words, environment) }
                }
                _exit(127)
            }
            close(words.write)
        } catch {
            throw SnapshotError(error)
        }
    }

    private static func find(_ program: Program) throws(SnapshotError) -> String {
        for folder in ["/usr/bin", "/bin", "/usr/local/bin"] where access("\(folder)/\(program)", X_OK) == 0 {
            return "\(folder)/\(program)"
        }
        let package = program == .age ? "age" : "gpg gpg-agent"
        throw SnapshotError("the program \(program) is missing", mend: "apt-get install \(package)")
    }

    private static var environment: [String] {
        variables.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
            + ["PATH=/usr/bin:/bin", "LC_ALL=C"]
    }

    /// Waits for its end.
    /// - Throws: what it says when it has failed.
    func finish() throws(SnapshotError) {
        if isOver { return }
        isOver = true
        let text: String
        let status: WaitStatus
        do throws(SystemError) {
            text = try readText(complaints, name: "what \(program) says", atMost: 1 << 20)
            status = try waitForEnd(of: process)
        } catch {
            throw SnapshotError(error)
        }
        said = text.split(separator: "\n").map { String($0) }
        if status == .exited(0) { return }
        throw SnapshotError(ArchiveFilter.problem(program, said, status.exitStatus))
    }

    /// What a person can do something with, of what it has said.
    static func problem(_ program: Program, _ said: [String], _ status: Int32) -> String {
        let words = said.filter { !$0.hasPrefix("[GNUPG:]") && !$0.hasPrefix("age: report unexpected") }
        // gpg tells the reason last, age first.
        let chosen = program == .gpg ? words.last : words.first
        let line = chosen ?? "it ended with status \(status)"
        return line.hasPrefix("\(program): ") ? line : "\(program): \(line)"
    }

    deinit {
        if !isOver {
            kill(process, SIGTERM)
            while waitpid(process, nil, 0) < 0, errno == EINTR {}
        }
        close(complaints)
    }
}
