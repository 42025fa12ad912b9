import CLinux
import Glibc
import Kernel
import Launch

/// A process that has `criu lazy-pages` bring a box's memory in, and ends when that has ended.
///
/// The kernel gives a process zeros for missing memory as soon as nobody holds its userfaultfd(2) any more. So this
/// process holds one more of each, and when the one that brings the memory in fails, the box is killed before they are
/// let go.
struct MemoryWatch {
    private let memory: LateMemory
    private let workPath: String
    /// To the process that restores; -1 once the box goes on.
    private var channel: Int32
    /// `criu lazy-pages`, and a descriptor of that process.
    private var server: Int32 = 0
    private var serverHandle: Int32 = -1
    /// This side of its connection to the other host.
    private var pages: Int32 = -1
    private var input: Int32 = -1
    /// Where ``PageServer`` tells why it has ended; -1 where there is none.
    private var complaint: Int32 = -1
    /// The box's first process; -1 before it is there.
    private var root: Int32 = -1
    /// The same by its number.
    private var rootNumber: Int32 = 0
    private var held: [Int32] = []
    /// When they were looked for last, in milliseconds of the monotonic clock.
    private var looked = 0
    /// What was found to be wrong first.
    private var reason: String?

    private static let log = "lazy-pages.log"
    private static let socket = "lazy-pages.socket"

    static func run(_ engine: CRIUEngine, _ restore: Restore, _ memory: LateMemory, _ channel: Int32) -> Never {
        // Neither a terminal nor the caller's caller is to be kept waiting by it, or to end it.
        setsid()
        signal(SIGPIPE, SIG_IGN)
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
        var kept = [channel, restore.images, restore.work, 0, 1, 2]
        if let source = memory.source { kept += [source.input, source.output, source.judge] }
        closeDescriptors(keeping: kept)
        let null = linux_open("/dev/null", O_RDWR, 0)
        for number: Int32 in 0...1 { dup2(null, number) }
        close(null)
        var watch = MemoryWatch(memory: memory, workPath: restore.workPath, channel: channel)
        do throws(LaunchError) {
            try watch.start(engine, restore)
        } catch {
            watch.say(error.message)
            _exit(1)
        }
        watch.say(MemoryFeed.Word.ready)
        let end = watch.serve()
        watch.settle(end)
        _exit(0)
    }

    private init(memory: LateMemory, workPath: String, channel: Int32) {
        (self.memory, self.workPath, self.channel) = (memory, workPath, channel)
        input = memory.source?.input ?? -1
    }

    // MARK: - CRIU

    private mutating func start(_ engine: CRIUEngine, _ restore: Restore) throws(LaunchError) {
        let status: (read: Int32, write: Int32)
        var theirs: Int32 = -1
        do throws(SystemError) {
            status = try makePipe("start \(engine.path)")
            if memory.source != nil {
                var ends: [Int32] = [0, 0]
                let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
                try check("make a socket pair") { socketpair(AF_UNIX, type, 0, &ends) }
                (pages, theirs) = (ends[0], ends[1])
            } else if let late = memory.pages {
                theirs = try startServer(late)
            }
            let connection = theirs
            server = try startChild(in: []) {
                MemoryWatch.become(engine, restore, status: status.write, pages: connection)
            }
            serverHandle = try check("hold \(engine.path)") { linux_pidfd_open(server, 0) }
        } catch {
            throw LaunchError(error)
        }
        close(status.write)
        if theirs >= 0 { close(theirs) }
        var byte: UInt8 = 0
        while true {
            let count = read(status.read, &byte, 1)
            if count < 0, errno == EINTR { continue }
            close(status.read)
            if count == 1 { return }
            break
        }
        stop()
        throw LaunchError(Checkpoint.complaint(inLog: workPath + "/" + MemoryWatch.log))
    }

    /// Starts the process that answers CRIU.
    /// - Returns: CRIU's end of the conversation.
    private mutating func startServer(_ late: LatePages) throws(SystemError) -> Int32 {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try check("make a socket pair") { socketpair(AF_UNIX, type, 0, &ends) }
        let (ours, theirs) = (ends[0], ends[1])
        let pipe = try makePipe("start a process that reads pages")
        _ = try startChild(in: []) {
            CrashPoint.enter("page server")
            _ = linux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0)
            closeDescriptors(keeping: [ours, pipe.write, 0, 1, 2])
            PageServer.run(late, ours, complaint: pipe.write)
        }
        close(ours)
        close(pipe.write)
        complaint = pipe.read
        return theirs
    }

    /// What the process that answers CRIU has told; it has ended, or ends with CRIU.
    private func complained() -> String? {
        if complaint < 0 { return nil }
        // What cannot be read tells nothing.
        guard let text = try? readText(complaint, name: "a complaint"), !text.isEmpty else { return nil }
        return text
    }

    private static func become(_ engine: CRIUEngine, _ restore: Restore, status: Int32, pages: Int32) -> Never {
        let inherited = [restore.images, restore.work, status, pages].filter { $0 >= 0 }
        for number in inherited { _ = linux_fcntl(number, F_SETFD, 0) }
        var words = [
            engine.path, "lazy-pages", "--images-dir", "/proc/self/fd/\(restore.images)", "--work-dir",
            "/proc/self/fd/\(restore.work)", "-v1", "--log-file", log, "--status-fd", "\(status)",
        ]
        if pages >= 0 { words += ["--page-server", "--ps-socket", "\(pages)"] }
        dup2(1, 2)
        restore.notes?.show()
        withCStrings(words) { words in
            withCStrings(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]) { environment in
                _ = execve(engine.path, words, environment)
            }
        }
        _exit(127)
    }

    /// Ends it where it has not ended yet.
    /// - Returns: how it ended.
    @discardableResult
    private mutating func stop() -> WaitStatus {
        if server == 0 { return .signaled(SIGKILL) }
        var status: Int32 = 0
        kill(server, SIGKILL)
        while waitpid(server, &status, 0) < 0, errno == EINTR {}
        server = 0
        return WaitStatus(status)
    }

    // MARK: - Until all of it is there

    private mutating func serve() -> LateMemory.End {
        while true {
            var waits = [serverHandle, root, channel, memory.source?.judge ?? -1, input, pages]
                .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            // Processes that the box makes have memory of their own that is missing.
            if poll(&waits, nfds_t(waits.count), root < 0 ? -1 : 20) < 0 {
                if errno == EINTR { continue }
                return fail("its end could not be waited for")
            }
            if waits[2].revents != 0 { hear() }
            if waits[5].revents != 0 { sendPages() }
            if waits[4].revents != 0 { takePages() }
            if waits[3].revents != 0 {
                stop()
                return .deserted(rootNumber)
            }
            if waits[0].revents != 0 { return end() }
            if waits[1].revents != 0 { return over() }
            if root >= 0, monotonicMilliseconds() >= looked + 20 { hold() }
        }
    }

    /// The one that brings it in has ended.
    private mutating func end() -> LateMemory.End {
        let status = stop()
        if status == .exited(0) { return awaitSource() }
        let told = complained()
        var text = reason ?? told ?? Checkpoint.complaint(inLog: workPath + "/" + MemoryWatch.log)
        if case .signaled(let number) = status { text = "the CRIU that brought it in was ended by signal \(number)" }
        // It fails, too, when the box ends while it works for it.
        var wait = pollfd(fd: root, events: Int16(POLLIN), revents: 0)
        if root >= 0, reason == nil, told == nil, poll(&wait, 1, 500) > 0 { return .over }
        return fail(text)
    }

    /// The box has ended: soon there is nothing to bring in any more.
    private mutating func over() -> LateMemory.End {
        var wait = pollfd(fd: serverHandle, events: Int16(POLLIN), revents: 0)
        _ = poll(&wait, 1, 1000)
        stop()
        return .over
    }

    private mutating func fail(_ text: String) -> LateMemory.End {
        stop()
        return .lost(reason ?? text)
    }

    /// Waits until the other side, too, knows that it has no more to give.
    private mutating func awaitSource() -> LateMemory.End {
        while input >= 0 { takePages() }
        return reason.map { .lost($0) } ?? .whole
    }

    // MARK: - The restoring process

    /// The next message of a channel; `nil` where its other end is gone.
    static func message(_ channel: Int32) throws(SystemError) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try check("hear from another process of sandbox") { Int32(recv(channel, &bytes, bytes.count, 0)) }
        return count == 0 ? nil : String(decoding: bytes[..<Int(count)], as: UTF8.self)
    }

    private func say(_ text: String) {
        let bytes = Array(text.utf8.prefix(4000))
        // One who is gone need not be told.
        _ = send(channel, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private mutating func hear() {
        // One whose message cannot be read is gone.
        let words = (try? MemoryWatch.message(channel))?.split(separator: " ").map { String($0) } ?? []
        if words.count == 3, words[0] == MemoryFeed.Word.hold, let pid = Int32(words[1]), let count = Int(words[2]) {
            say(hold(pid, count) ?? MemoryFeed.Word.held)
            return
        }
        close(channel)
        channel = -1
        // Nothing of the box is there.
        if root < 0 || words.first == MemoryFeed.Word.abandon {
            stop()
            _exit(0)
        }
    }

    /// - Returns: what is wrong.
    private mutating func hold(_ pid: Int32, _ count: Int) -> String? {
        root = linux_pidfd_open(pid, 0)
        rootNumber = pid
        if root < 0 { return "process \(pid) has ended" }
        let end = monotonicMilliseconds() + 10_000
        while true {
            hold()
            if held.count >= count { break }
            var wait = pollfd(fd: serverHandle, events: Int16(POLLIN), revents: 0)
            if poll(&wait, 1, 1) > 0 {
                return complained() ?? Checkpoint.complaint(inLog: workPath + "/" + MemoryWatch.log)
            }
            if monotonicMilliseconds() > end { return "only \(held.count) of its \(count) processes are known to CRIU" }
        }
        unlink(workPath + "/" + MemoryWatch.socket)
        do throws(SystemError) {
            guard let identity = try ProcessIdentity(pid: server) else { return "CRIU has ended" }
            do throws(LaunchError) { try memory.begun(identity) } catch { return error.message }
        } catch {
            return error.message
        }
        return nil
    }

    /// Has all that the one that brings it in has now.
    private mutating func hold() {
        let before = held
        held = []
        looked = monotonicMilliseconds()
        // It has none left when it has ended.
        for number in (try? numbers(in: "/proc/\(server)/fd")) ?? []
        where linkTarget("/proc/\(server)/fd/\(number)") == "anon_inode:[userfaultfd]" {
            let copy = linux_pidfd_getfd(serverHandle, number)
            if copy >= 0 { held.append(copy) }
        }
        if isServerEnding {
            // It has none any more, and its end tells what becomes of the box.
            held += before
        } else {
            for number in before { close(number) }
        }
    }

    /// Whether it has ended, or has closed what it had by now.
    private var isServerEnding: Bool {
        // Behind its name in brackets: a letter, five numbers, and flags (proc_pid_stat(5)) with PF_EXITING.
        guard let text = try? readText("/proc/\(server)/stat"), let name = text.utf8.lastIndex(of: UInt8(ascii: ")")),
            let flags = text[name...].split(separator: " ").dropFirst(7).first.flatMap({ UInt32($0) })
        else { return true }
        return flags & 4 != 0
    }

    // MARK: - The other host

    private mutating func sendPages() {
        guard let source = memory.source else { return }
        var bytes = [UInt8](repeating: 0, count: PageFrame.piece)
        let count = read(pages, &bytes, bytes.count)
        if count < 0, errno == EINTR { return }
        if count <= 0 {
            close(pages)
            pages = -1
            return
        }
        do throws(SystemError) {
            try PageFrame.pages(Array(bytes[..<count])).write(to: source.output)
        } catch {
            lose(error.message)
        }
    }

    private mutating func takePages() {
        do throws(SystemError) {
            switch try PageFrame.read(from: input) {
            case .pages(let bytes):
                // Who has ended needs none; that is looked into when its end is heard of.
                if pages >= 0 { try? writeBytes(bytes, to: pages, name: "pages") }
            case .word: break
            case .end: stopListening()
            case nil: lose("the connection to the other host has ended")
            }
        } catch {
            lose(error.message)
        }
    }

    private mutating func lose(_ text: String) {
        reason = reason ?? text
        stopListening()
    }

    private mutating func stopListening() {
        if input >= 0 { close(input) }
        input = -1
        if pages >= 0 { shutdown(pages, Int32(SHUT_WR)) }
    }

    // MARK: - The end

    private func isToStay(_ judge: Int32) -> Bool {
        var byte: UInt8 = 0
        while true {
            let count = recv(judge, &byte, 1, 0)
            if count >= 0 || errno != EINTR { return count == 1 }
        }
    }

    private mutating func settle(_ end: LateMemory.End) {
        var end = end
        if let source = memory.source {
            var text = PageSource.whole
            if case .lost(let reason) = end { text = reason }
            if case .deserted = end { text = "nobody is left who could let it stay here" }
            let bytes = Array(text.utf8.prefix(4000))
            _ = send(source.judge, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            // Of one that has been lost nobody says that it may stay; of one that has ended it makes no difference.
            let stays = text == PageSource.whole && isToStay(source.judge)
            if end == .whole, !stays { end = .deserted(rootNumber) }
        }
        switch end {
        case .lost, .deserted: if root >= 0 { _ = linux_pidfd_send_signal(root, SIGKILL) }
        case .whole, .over: break
        }
        memory.ended(end)
    }
}
