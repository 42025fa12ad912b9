import CLinux
import Glibc
import Kernel
public import Launch
import Profile

/// The option by which the executable is asked for a launch by somebody else's process.
public let launchOption = "--launch"

extension Sandbox {
    /// Launches a detached sandbox from any process, whatever threads it has: the executable `sandbox` does it.
    ///
    /// Namespaces can be changed by a process of one thread only (setns(2), unshare(2)), so the request goes to a
    /// fresh one.
    /// - Parameter executable: its path; the one of this name on PATH where `nil`.
    /// - Returns: the sandbox, whose command has begun.
    public static func launch(_ request: LaunchRequest, executable: String? = nil) throws(LaunchError) -> Sandbox {
        var request = request
        request.isDetached = true
        if request.environment.isEmpty { request.environment = environmentOfCaller() }
        let answer = try translated { () throws(SystemError) in
            try Conversation(executable ?? "sandbox").ask(request.text)
        }
        let fields = Fields(try answerTable(answer))
        if let message = fields.string("error") {
            throw LaunchError(
                key: fields.string("key"), message,
                status: fields.integer("status").flatMap { Int32(exactly: $0) } ?? 125)
        }
        return try Sandbox(fields.string("name") ?? "")
    }

    private static func answerTable(_ text: String) throws(LaunchError) -> Value {
        do throws(ProfileError) {
            return try TOMLDocument(file: "the answer of sandbox", text: text).value
        } catch {
            throw LaunchError(error.message)
        }
    }

    /// The other side: launches what descriptor 3 asks for, and answers there.
    public static func answerLaunch() -> Int32 {
        let socket = linux_fcntl(3, F_DUPFD_CLOEXEC, 4)
        var answer = ""
        var status: Int32 = 0
        do throws(LaunchError) {
            // The program begins anew for it, which must not cost the request.
            try Launcher.protectExecutable()
            close(3)
            answer = "name = " + Value.string(try launchAsked(socket)).toml + "\n"
        } catch {
            status = error.status
            answer = "error = " + Value.string(error.message).toml + "\nstatus = \(error.status)\n"
            if let key = error.key { answer += "key = " + Value.string(key).toml + "\n" }
        }
        do throws(SystemError) {
            try writeAll(answer, to: socket)
            return status
        } catch {
            return 125
        }
    }

    private static func launchAsked(_ socket: Int32) throws(LaunchError) -> String {
        let text = try translated { () throws(SystemError) in try readText(socket, name: "the request") }
        let request: LaunchRequest
        let profile: Profile
        do throws(ProfileError) {
            guard let asked = LaunchRequest(try TOMLDocument(file: "request", text: text).value), asked.isDetached
            else {
                throw ProfileError(problem: "\(launchOption) is for the library", mend: "see sandbox --help")
            }
            request = asked
            profile = try Profile(document: asked.profile, name: "request")
        } catch {
            throw LaunchError(error.message)
        }
        let plan = try plan(profile, request)
        _ = try run(plan, request, held: [socket])
        return plan.name ?? ""
    }
}

/// A process of the executable, asked over a socket that is its descriptor 3.
private struct Conversation: ~Copyable {
    private let ours: Descriptor
    private let pid: Int32

    init(_ executable: String) throws(SystemError) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try check("make a socket pair") { socketpair(AF_UNIX, type, 0, &ends) }
        let theirs = Descriptor(ends[1])
        let own = Descriptor(ends[0])
        pid = try Conversation.start(executable, theirs.number)
        ours = own
    }

    /// In a session of its own, so that no signal of a terminal cuts the launch off.
    private static func start(_ executable: String, _ socket: Int32) throws(SystemError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, socket, 3)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK))
        var pid: Int32 = 0
        let code = withCStrings([executable, launchOption]) { words in
            posix_spawnp(&pid, executable, &actions, &attributes, words, Glibc.environ)
        }
        if code == 0 { return pid }
        throw SystemError(
            "start \(executable)", code: code, mend: code == ENOENT ? "install sandbox, or name its executable" : nil)
    }

    /// Sends the request and waits for the answer.
    consuming func ask(_ request: String) throws(SystemError) -> String {
        do throws(SystemError) {
            try writeAll(request, to: ours.number)
            shutdown(ours.number, Int32(SHUT_WR))
            let answer = try readText(ours.number, name: "the answer of sandbox")
            _ = try waitForEnd(of: pid)
            if answer.isEmpty { throw SystemError("launch through sandbox", code: EPIPE) }
            return answer
        } catch {
            // Without the socket it ends.
            shutdown(ours.number, Int32(SHUT_RDWR))
            _ = try waitForEnd(of: pid)
            throw error
        }
    }
}

/// Writes all of `text` to a socket, without SIGPIPE.
private func writeAll(_ text: String, to socket: Int32) throws(SystemError) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = try check("talk to sandbox") {
            rest.withUnsafeBytes { Int32(send(socket, $0.baseAddress, min($0.count, 1 << 16), Int32(MSG_NOSIGNAL))) }
        }
        rest = rest.dropFirst(Int(count))
    }
}
