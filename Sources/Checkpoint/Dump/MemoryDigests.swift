import CLinux
import Glibc
public import Kernel

/// Digests the files that CRIU writes memory to while they grow, in a process of its own beside CRIU, and has the disk begin
/// to write them: what takes longest of making a snapshot whole is nearly done when CRIU is. It gives way to all else, and
/// what it does not tell is digested afterwards.
public final class MemoryDigests {
    /// What a file was when its digest was taken.
    struct Measure: Equatable {
        var size: Int
        var digest: String
        /// Of its blocks.
        var lines: [UInt8] = []
    }

    /// Closed when it is to end, told once all is written.
    private var word: Int32 = -1
    private var answer: Int32 = -1
    private var process: Int32 = 0
    private var isOver = false

    /// CRIU's files of memory, the only ones that are large, are written from their beginnings to their ends.
    static let prefix = "pages-"

    /// What the list of the digests of its blocks is called, of one that has a path within a snapshot; `nil` for another
    /// file's.
    static func list(of path: String) -> String? {
        guard SnapshotStore.isMemory(path), !path.hasSuffix(SnapshotStore.suffix) else { return nil }
        if let name = image(path) { return name }
        return path.split(separator: "/").joined(separator: ".")
    }

    /// The name of an image that has a path within a snapshot.
    static func image(_ path: String) -> String? {
        let folder = SnapshotStore.images + "/"
        return path.hasPrefix(folder) ? String(path.dropFirst(folder.utf8.count)) : nil
    }

    /// - Parameter images: the directory that CRIU is to write to.
    /// - Parameter syncs: whether somebody is going to wait for the disk.
    public init(of images: borrowing StateFolder, syncs: Bool = true) throws(SystemError) {
        if !MemoryDigests.canWorkBeside { return }
        let (words, answers) = (try makePipe("digest images"), try makePipe("digest images"))
        process = try startChild(in: []) {
            MemoryDigests.giveWay(closing: words.write, answers.read)
            MemoryDigests.work(images, words.read, answers.write, syncs)
        }
        close(words.read)
        close(answers.write)
        (word, answer) = (words.write, answers.read)
    }

    deinit { stop() }

    private func stop() {
        if process == 0 { return }
        close(word)
        close(answer)
        // Whatever became of it.
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
        process = 0
    }

    /// All is written: what is left, the small files too, is digested while this process does something else.
    public func end() {
        if process == 0 || isOver { return }
        isOver = true
        var byte: UInt8 = 1
        // One that has been killed tells nothing, and SIGPIPE would end this process.
        let before = signal(SIGPIPE, SIG_IGN)
        _ = write(word, &byte, 1)
        signal(SIGPIPE, before)
    }

    /// Waits for all of them.
    /// - Returns: by the names of files; none of those that it could not tell of.
    func finish() throws(SystemError) -> [String: Measure] {
        if process == 0 { return [:] }
        end()
        defer { stop() }
        return MemoryDigests.measures(try readBytes(answer, name: "digests of images"))
    }

    /// - Parameter told: of each file a line with its name, its size, its digest and the length of what follows: the lines
    ///   of its blocks. None where it has been cut off.
    private static func measures(_ told: [UInt8]) -> [String: Measure] {
        var found: [String: Measure] = [:]
        var rest = told[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
            rest = rest[(end + 1)...]
            guard words.count == 4, let size = Int(words[1]), let length = Int(words[3]), length <= rest.count else {
                return [:]
            }
            found[String(words[0])] = Measure(size: size, digest: String(words[2]), lines: Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return rest.isEmpty ? found : [:]
    }

    // MARK: - The process

    /// On a single processor a process that digests would take time from the one beside it.
    static var canWorkBeside: Bool { sysconf(Int32(_SC_NPROCESSORS_ONLN)) >= 2 }

    /// What such a process begins with: it gives way to all else, and ends with the one that started it.
    /// - Parameter foreign: descriptors that are that one's alone.
    static func giveWay(closing foreign: Int32...) {
        CrashPoint.enter("digests")
        _ = linux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0)
        for descriptor in foreign { close(descriptor) }
        setpriority(PRIO_PROCESS, 0, 19)
    }

    private static func work(
        _ images: borrowing StateFolder, _ word: Int32, _ answer: Int32, _ syncs: Bool
    ) -> Never {
        var files: [String: GrowingFile] = [:]
        while true {
            var wait = pollfd(fd: word, events: Int16(POLLIN), revents: 0)
            let isOver = poll(&wait, 1, 2) > 0
            var byte: UInt8 = 0
            if isOver, read(word, &byte, 1) <= 0 { _exit(0) }
            // Now it is waited for.
            if isOver { setpriority(PRIO_PROCESS, 0, 0) }
            do throws(SystemError) {
                for name in try images.entries() where files[name] == nil && (isOver || name.hasPrefix(prefix)) {
                    files[name] = try GrowingFile.open(name, in: images, syncs)
                }
                for file in files.values { try isOver ? file.finish() : file.catchUp(until: word) }
            } catch {
                // The one who waits does it then, and tells why it cannot.
                _exit(1)
            }
            if !isOver { continue }
            CrashPoint.pass("digests")
            do throws(SystemError) {
                for file in files.values { try writeBytes(file.told, to: answer, name: "digests of images") }
            } catch {
                _exit(1)
            }
            _exit(0)
        }
    }
}

/// A file that another process is writing.
private final class GrowingFile {
    private let file: Descriptor
    private let name: String
    private var digest = FileDigest()
    /// What the disk has been told to write.
    private var begun = 0
    private var sum = ""

    /// Bytes that the disk is told to write at a time.
    private static let piece = 8 << 20

    private let syncs: Bool

    private init(_ name: String, _ file: consuming Descriptor, _ syncs: Bool) {
        self.name = name
        self.file = file
        self.syncs = syncs
    }

    /// - Returns: `nil` for what is no file.
    static func open(
        _ name: String, in folder: borrowing StateFolder, _ syncs: Bool
    ) throws(SystemError) -> GrowingFile? {
        let number = linux_openat(folder.descriptor.number, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
        if number < 0 { return nil }
        let file = Descriptor(number)
        return try FileStatus(number, name: name).kind == .file ? GrowingFile(name, file, syncs) : nil
    }

    /// Digests what has been added, and has the disk begin to write it.
    /// - Parameter interruption: what is to be heard of before all of it is done.
    func catchUp(until interruption: Int32) throws(SystemError) {
        let size = Int(try FileStatus(file.number, name: name).size)
        try digest.addPairs(of: file.number, to: size, name: name, by: .mapped) { size in
            if syncs, size - begun >= GrowingFile.piece {
                _ = linux_begin_writing(file.number, Int64(begun), Int64(size - begun))
                begun = size
            }
            var wait = pollfd(fd: interruption, events: Int16(POLLIN), revents: 0)
            return poll(&wait, 1, 0) == 0
        }
    }

    /// Digests what is left.
    func finish() throws(SystemError) {
        try digest.addAll(of: file.number, name: name, by: .mapped, helped: true)
        sum = digest.finish()
    }

    /// What is told of it.
    var told: [UInt8] { "\(name) \(digest.size) \(sum) \(digest.lines.count)\n".utf8 + digest.lines }
}
