import CLinux
import Glibc
import Kernel
import Launch
import SwiftProtobuf

/// A stage of CRIU's work, told while it waits for our answer.
struct CRIUStage {
    /// `network-lock`, `post-restore` and their like (action-scripts in criu(8)).
    let name: String
    /// The root process, where the stage has one; 0 otherwise.
    let pid: Int32
    /// What came with it: a pseudo-terminal's controlling side; -1 for nothing.
    let descriptor: Int32
}

/// One `criu swrk` process: one request, the stages in between, one answer. A process that a restore makes is the
/// caller's child, not CRIU's (`rst_sibling`).
struct CRIUService: ~Copyable {
    private let socket: Descriptor
    let process: Int32
    let engine: CRIUEngine

    /// Starts it.
    /// - Parameter inherited: descriptors that it gets under the same numbers.
    /// - Parameter prepare: what its process does before it becomes CRIU: what restored processes are to inherit.
    init(
        _ engine: CRIUEngine, inherited: [Int32] = [], prepare: () throws(LaunchError) -> Void = { () in }
    ) throws(LaunchError) {
        self.engine = engine
        do throws(SystemError) {
            var ends: [Int32] = [0, 0]
            let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
            try check("make a socket pair") { socketpair(AF_UNIX, type, 0, &ends) }
            let (ours, theirs) = (ends[0], ends[1])
            defer { close(theirs) }
            process = try startChild(in: []) { CRIUService.become(engine, theirs, inherited, prepare) }
            socket = Descriptor(ours)
        } catch {
            throw LaunchError(error)
        }
    }

    /// What a message begins with that tells why CRIU could not begin; no answer of its does.
    private static let complaint = UInt8(ascii: "!")

    /// The socket's number here, which no other process may hold: CRIU takes its end for ours.
    var descriptor: Int32 { socket.number }

    private static func become(
        _ engine: CRIUEngine, _ socket: Int32, _ inherited: [Int32], _ prepare: () throws(LaunchError) -> Void
    ) -> Never {
        // No signal of a terminal is to cut it off in the middle of another process's memory.
        setsid()
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
        do throws(LaunchError) { try prepare() } catch {
            let bytes = [CRIUService.complaint] + Array(error.message.utf8)
            _ = linux_send_message(socket, bytes, bytes.count, -1)
            _exit(126)
        }
        let null = linux_open("/dev/null", O_RDWR, 0)
        for number: Int32 in 0...2 where !inherited.contains(number) { dup2(null, number) }
        for number in inherited + [socket] { _ = linux_fcntl(number, F_SETFD, 0) }
        withCStrings([engine.path, "swrk", "\(socket)"]) { words in
            withCStrings(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]) { environment in
                _ = execve(engine.path, words, environment)
            }
        }
        _exit(127)
    }

    /// Asks, answers each stage, and waits for the process's end.
    ///
    /// A stage that throws makes CRIU give up and undo what it did.
    /// - Throws: when CRIU ended without an answer, or a stage threw. An answer that says no is returned.
    consuming func ask(
        _ request: criu_req, stage: (CRIUStage) throws(LaunchError) -> Void = { _ in }
    ) throws(LaunchError) -> criu_resp {
        try send(request)
        return try hear(stage)
    }

    /// The second half of ``ask(_:stage:)``, after ``send(_:)``.
    consuming func hear(_ stage: (CRIUStage) throws(LaunchError) -> Void = { _ in }) throws(LaunchError) -> criu_resp {
        var failure: LaunchError?
        while true {
            guard let (answer, descriptor) = try receive() else {
                let status = try reap()
                throw failure ?? LaunchError("\(engine.path) ended without an answer (status \(status))")
            }
            guard answer.type == .notify else {
                _ = try reap()
                if let failure { throw failure }
                return answer
            }
            do throws(LaunchError) {
                try stage(CRIUStage(name: answer.notify.script, pid: answer.notify.pid, descriptor: descriptor))
            } catch {
                failure = failure ?? error
            }
            var reply = criu_req()
            reply.type = .notify
            reply.notifySuccess = failure == nil
            try send(reply)
        }
    }

    /// One answer of a process that waits for another request then.
    func hearOne() throws(LaunchError) -> criu_resp {
        guard let (answer, _) = try receive() else { throw LaunchError("\(engine.path) ended without an answer") }
        return answer
    }

    /// Ends the conversation, and the process with it.
    consuming func end() {
        let process = process
        _ = consume socket
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
    }

    /// Asks without waiting.
    func send(_ request: criu_req) throws(LaunchError) {
        let bytes: [UInt8]
        do { bytes = try request.serializedBytes() } catch { throw LaunchError("cannot word a request to CRIU") }
        do throws(SystemError) {
            try check("ask CRIU") { Int32(linux_send_message(socket.number, bytes, bytes.count, -1)) }
        } catch {
            // It has ended: its silence tells.
            if error.code != EPIPE && error.code != ECONNRESET { throw LaunchError(error) }
        }
    }

    /// `nil` when it has ended.
    private func receive() throws(LaunchError) -> (criu_resp, Int32)? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        var descriptor: Int32 = -1
        let count: Int32
        do throws(SystemError) {
            count = try check("hear from CRIU") {
                Int32(linux_receive_message(socket.number, &bytes, bytes.count, &descriptor))
            }
        } catch {
            if error.code == ECONNRESET { return nil }
            throw LaunchError(error)
        }
        if count == 0 { return nil }
        bytes.removeLast(bytes.count - Int(count))
        if bytes.first == CRIUService.complaint {
            throw LaunchError(String(decoding: bytes.dropFirst(), as: UTF8.self))
        }
        do {
            return (try criu_resp(serializedBytes: bytes), descriptor)
        } catch {
            throw LaunchError("CRIU's answer cannot be read", mend: "is \(engine.path) CRIU 4.2 or newer?")
        }
    }

    private func reap() throws(LaunchError) -> Int32 {
        do throws(SystemError) { return try waitForEnd(of: process).exitStatus } catch { throw LaunchError(error) }
    }
}

/// What went wrong, from CRIU's log: the first lines that tell of an error, without those it writes on every run.
func complaint(inLog path: String) -> String {
    // A log that is not there says nothing.
    guard let text = try? readText(path) else { return "it left no log" }
    var found: [String] = []
    for line in text.split(separator: "\n") {
        guard let start = line.firstRange(of: "Error (") else { continue }
        if line.contains("RLIMIT_NOFILE") || line.contains("Could not process rule") { continue }
        let rest = line[start.upperBound...]
        guard let close = rest.firstRange(of: "): ") else { continue }
        found.append(String(rest[close.upperBound...]))
        if found.count == 3 { break }
    }
    return found.isEmpty ? "its log names no reason" : found.joined(separator: " | ")
}
