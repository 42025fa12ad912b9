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
    /// - Parameter registry: where it is entered; the caller's where `nil`.
    /// - Parameter executable: its path; the one of this name on PATH where `nil`.
    /// - Returns: the sandbox, whose command has begun.
    public static func launch(
        _ request: LaunchRequest, in registry: Registry? = nil, executable: String? = nil
    ) throws(LaunchError) -> Sandbox {
        let launch = try SpawnedLaunch(request, in: registry, executable: executable)
        return try launch.finish()
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

/// A launch that the executable is at work on.
package struct SpawnedLaunch: ~Copyable, Sendable {
    private let registry: Registry
    private let conversation: Conversation

    /// Starts the executable and hands it the request; see ``Sandbox/launch(_:in:executable:)``.
    package init(_ request: LaunchRequest, in registry: Registry?, executable: String?) throws(LaunchError) {
        let registry = try registry.orOfCaller()
        guard registry.state.path.hasPrefix("/") else {
            throw LaunchError("the state directory \"\(registry.state.path)\" is no absolute path")
        }
        var request = request
        request.isDetached = true
        if request.environment.isEmpty { request.environment = environmentOfCaller() }
        let text = request.text
        let conversation = try translated { () throws(SystemError) in
            let made = try Conversation(executable ?? "sandbox", registry.state)
            try made.ask(text)
            return made
        }
        self.registry = registry
        self.conversation = conversation
    }

    /// Readable when ``finish()`` has little to wait for.
    package var descriptor: Int32 { conversation.descriptor }

    /// Waits for the answer; once.
    /// - Returns: the sandbox, whose command has begun.
    package func finish() throws(LaunchError) -> Sandbox {
        let answer: String
        do throws(SystemError) { answer = try conversation.answer() } catch { throw LaunchError(error) }
        let fields = Fields(try SpawnedLaunch.table(answer))
        if let message = fields.string("error") {
            throw LaunchError(
                key: fields.string("key"), message,
                status: fields.integer("status").flatMap { Int32(exactly: $0) } ?? 125)
        }
        return try Sandbox(fields.string("name") ?? "", in: registry)
    }

    private static func table(_ text: String) throws(LaunchError) -> Value {
        do throws(ProfileError) {
            return try TOMLDocument(file: "the answer of sandbox", text: text).value
        } catch {
            throw LaunchError(error.message)
        }
    }
}

/// A process of the executable, asked over a socket that is its descriptor 3.
private struct Conversation: ~Copyable {
    private let ours: Descriptor
    private let pid: Int32

    init(_ executable: String, _ state: StateDirectory) throws(SystemError) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try check("make a socket pair") { socketpair(AF_UNIX, type, 0, &ends) }
        let theirs = Descriptor(ends[1])
        let own = Descriptor(ends[0])
        pid = try Conversation.start(executable, state, theirs.number)
        ours = own
    }

    /// In a session of its own, so that no signal of a terminal cuts the launch off.
    private static func start(
        _ executable: String, _ state: StateDirectory, _ socket: Int32
    ) throws(SystemError) -> Int32 {
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
            withEnvironment(naming: state) { variables in
                posix_spawnp(&pid, executable, &actions, &attributes, words, variables)
            }
        }
        if code == 0 { return pid }
        throw SystemError(
            "start \(executable)", code: code, mend: code == ENOENT ? "install sandbox, or name its executable" : nil)
    }

    var descriptor: Int32 { ours.number }

    func ask(_ request: String) throws(SystemError) {
        do throws(SystemError) {
            try writeAll(request, to: ours.number)
            shutdown(ours.number, Int32(SHUT_WR))
        } catch {
            try giveUp()
            throw error
        }
    }

    /// Waits for the answer, and for the end of the process.
    func answer() throws(SystemError) -> String {
        do throws(SystemError) {
            let answer = try readText(ours.number, name: "the answer of sandbox")
            try reap()
            if answer.isEmpty { throw SystemError("launch through sandbox", code: EPIPE) }
            return answer
        } catch {
            try giveUp()
            throw error
        }
    }

    /// Without the socket it ends.
    private func giveUp() throws(SystemError) {
        shutdown(ours.number, Int32(SHUT_RDWR))
        try reap()
    }

    /// The caller may have done that itself, or have told the kernel to.
    private func reap() throws(SystemError) {
        do throws(SystemError) { _ = try waitForEnd(of: pid) } catch { if error.code != ECHILD { throw error } }
    }
}

/// The caller's environment byte for byte, but with that state directory.
private func withEnvironment<Result>(
    naming state: StateDirectory, _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let name = StateDirectory.variable + "="
    return withCStrings([name + state.path]) { ours in
        var entries: [UnsafeMutablePointer<CChar>?] = []
        var next = Glibc.environ
        while let entry = next.pointee {
            if !String(cString: entry).utf8.starts(with: name.utf8) { entries.append(entry) }
            next += 1
        }
        entries += [ours[0], nil]
        return body(entries)
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
