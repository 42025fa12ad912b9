import CLinux
import Glibc
public import Kernel
public import Launch

/// How a restored box gets its memory that begins before it has all of it.
public struct LateMemory: Sendable {
    /// How the bringing in ended.
    public enum End: Sendable, Equatable {
        /// All of it is there.
        case whole
        /// The box has ended before.
        case over
        /// The box has been killed: it would have read nothing but zeros where its memory is missing.
        case lost(String)
        /// The same, since the process that took it in from another host has ended before it could let it stay; with the
        /// box's first process.
        case deserted(Int32)
    }

    /// The other host, of a box that moves here; `nil` where the images have all pages.
    public var source: PageSource?
    /// What is checked when it is brought in, of a snapshot that is here; `nil`: all of it has been.
    public var pages: LatePages?
    /// Done by the process that watches over it when the box is about to begin; told who brings its memory in.
    public var begun: @Sendable (ProcessIdentity) throws(LaunchError) -> Void = { _ throws(LaunchError) in }
    /// Done by that process in the end.
    public var ended: @Sendable (End) -> Void = { _ in }

    public init() {}

    /// Whether this kernel can do it for the caller.
    /// - Throws: why not.
    public static func check() throws(LaunchError) {
        if linux_check_user_faults() == 0 { return }
        let what = "memory cannot be brought in later"
        switch errno {
        case ENOSYS:
            throw LaunchError("\(what): this kernel has no userfaultfd", mend: "restore without --lazy")
        case EINVAL:
            throw LaunchError(
                "\(what): this kernel's userfaultfd does not tell of what a process does to its memory (Linux 4.11)",
                mend: "restore without --lazy")
        default:
            throw LaunchError(
                SystemError("open a userfaultfd", code: errno, mend: "bring it back as root, or without --lazy"))
        }
    }
}

/// What joins a box that moves here to where its pages still are.
public struct PageSource: Sendable {
    /// Frames come here.
    public var input: Int32
    /// And go here.
    public var output: Int32
    /// A socket (SOCK_SEQPACKET). How it ended is told here: ``LateMemory/whole``, or what failed. The box is killed
    /// unless a byte comes back.
    public var judge: Int32
    /// The other end of that socket, which only the one who judges is to hold.
    public var bench: Int32

    public init(input: Int32, output: Int32, judge: Int32, bench: Int32) {
        (self.input, self.output, self.judge, self.bench) = (input, output, judge, bench)
    }

    /// Closes this process's own of all of them: whoever waits for an end hears of it.
    public func close() { for number in [input, output, judge, bench] { Glibc.close(number) } }

    /// What is told on ``judge`` when all pages are in.
    public static let whole = "whole"
}

/// The process that watches over a box's late memory, as the one that restores the box has it.
struct MemoryFeed {
    private let channel: Int32

    enum Word {
        static let ready = "ready"
        static let hold = "hold"
        static let held = "held"
        static let abandon = "abandon"
    }

    /// Starts it, and through it `criu lazy-pages`, which is ready then.
    /// - Parameter restore: with the images, and the directory in which both CRIUs meet.
    init(_ engine: CRIUEngine, _ restore: Restore, _ memory: LateMemory) throws(LaunchError) {
        try LateMemory.check()
        let channel = try LaunchError.wrap { () throws(SystemError) in
            var ends: [Int32] = [0, 0]
            let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
            try Kernel.check("make a socket pair") { socketpair(AF_UNIX, type, 0, &ends) }
            let (ours, theirs) = (ends[0], ends[1])
            // Its parent ends at once: nobody has to wait for it.
            let between = try startChild(in: []) {
                do throws(SystemError) {
                    _ = try startChild(in: []) { MemoryWatch.run(engine, restore, memory, theirs) }
                } catch {
                    _exit(1)
                }
                _exit(0)
            }
            close(theirs)
            guard try waitForEnd(of: between) == .exited(0) else {
                throw SystemError("start a process that watches over the memory", code: EAGAIN)
            }
            return ours
        }
        self.channel = channel
        do throws(LaunchError) { try expect(Word.ready) } catch {
            close(channel)
            throw error
        }
    }

    /// Has it hold the memory of the box's processes: whatever becomes of the one that brings it in, none of them reads
    /// zeros for what is missing.
    /// - Parameter count: how many processes.
    func hold(_ root: Int32, _ count: Int) throws(LaunchError) {
        say("\(Word.hold) \(root) \(count)")
        try expect(Word.held)
    }

    /// The box goes on, and the watching process is on its own.
    func release() { close(channel) }

    /// The box has not come to life.
    func abandon() {
        say(Word.abandon)
        close(channel)
    }

    private func say(_ word: String) {
        let bytes = Array(word.utf8)
        // One that is gone is found out by what it does not answer.
        _ = send(channel, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private func expect(_ word: String) throws(LaunchError) {
        let channel = channel
        let answer = try LaunchError.wrap { () throws(SystemError) in try MemoryWatch.message(channel) }
        if answer == word { return }
        throw LaunchError(
            "its memory cannot be brought in: \(answer ?? "the process that watches over that was killed")")
    }
}
