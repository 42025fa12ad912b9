import CLinux
import Glibc
public import Kernel

/// Digests the files that CRIU writes memory to while they grow, in a process of its own beside CRIU: what takes longest of
/// making a snapshot whole is nearly done when CRIU is, before the application is ended. It gives way to all else, and what
/// it does not tell is digested afterwards. It is no help for an application that goes on, which stands still for a tenth
/// longer by it and has not to wait for the digests.
public final class MemoryDigests {
    /// What a file was when its digest was taken.
    struct Measure: Equatable {
        var size: Int
        var digest: String
    }

    /// Closed when it is to end, told once all is written.
    private var word: Int32 = -1
    private var answer: Int32 = -1
    private var process: Int32 = 0

    /// CRIU's files of memory, the only ones that are large, are written from their beginnings to their ends.
    static let prefix = "pages-"

    /// - Parameter images: the directory that CRIU is to write to.
    public init(of images: borrowing StateFolder) throws(SystemError) {
        // On a single processor it would take time from CRIU's.
        if sysconf(Int32(_SC_NPROCESSORS_ONLN)) < 2 { return }
        let (words, answers) = (try makePipe("digest images"), try makePipe("digest images"))
        process = try startChild(in: []) {
            CrashPoint.enter("digests")
            _ = linux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0)
            close(words.write)
            close(answers.read)
            setpriority(PRIO_PROCESS, 0, 19)
            MemoryDigests.work(images, words.read, answers.write)
        }
        close(words.read)
        close(answers.write)
        (word, answer) = (words.write, answers.read)
    }

    deinit { end() }

    private func end() {
        if process == 0 { return }
        close(word)
        close(answer)
        // Whatever became of it.
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
        process = 0
    }

    /// Once all is written.
    /// - Returns: by the names of files; none of those that it could not tell of.
    func finish() throws(SystemError) -> [String: Measure] {
        if process == 0 { return [:] }
        defer { end() }
        var byte: UInt8 = 1
        // One that has been killed tells nothing, and SIGPIPE would end this process.
        let before = signal(SIGPIPE, SIG_IGN)
        _ = write(word, &byte, 1)
        signal(SIGPIPE, before)
        let text = try readText(answer, name: "digests of images")
        // What has no line feed at its end has been cut off.
        guard text.hasSuffix("\n") else { return [:] }
        var found: [String: Measure] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, let size = Int(words[1]) else { continue }
            found[String(words[0])] = Measure(size: size, digest: String(words[2]))
        }
        return found
    }

    // MARK: - The process

    private static func work(_ images: borrowing StateFolder, _ word: Int32, _ answer: Int32) -> Never {
        var files: [String: GrowingFile] = [:]
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        while true {
            var wait = pollfd(fd: word, events: Int16(POLLIN), revents: 0)
            let isOver = poll(&wait, 1, 2) > 0
            var byte: UInt8 = 0
            if isOver, read(word, &byte, 1) <= 0 { _exit(0) }
            // Now it is waited for.
            if isOver { setpriority(PRIO_PROCESS, 0, 0) }
            do throws(SystemError) {
                for name in try images.entries() where name.hasPrefix(prefix) && files[name] == nil {
                    files[name] = try GrowingFile(name, in: images)
                }
                for file in files.values { try file.catchUp(buffer, until: isOver ? -1 : word) }
            } catch {
                // The one who waits does it then, and tells why it cannot.
                _exit(1)
            }
            if !isOver { continue }
            CrashPoint.pass("digests")
            let lines = files.map { "\($0.key) \($0.value.size) \($0.value.finish())\n" }
            do throws(SystemError) { try writeText(lines.joined(), to: answer, name: "digests of images") } catch {
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
    private var digest = Digest()
    private(set) var size = 0

    init(_ name: String, in folder: borrowing StateFolder) throws(SystemError) {
        self.name = name
        file = try folder.open(name, O_RDONLY)
    }

    /// Digests what has been added.
    /// - Parameter interruption: what is to be heard of before all of it is done; -1 for nothing.
    func catchUp(_ buffer: UnsafeMutableRawBufferPointer, until interruption: Int32) throws(SystemError) {
        while true {
            let count = try check("read \(name)") {
                Int32(pread(file.number, buffer.baseAddress, buffer.count, off_t(size)))
            }
            if count == 0 { break }
            digest.add(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
            size += Int(count)
            var wait = pollfd(fd: interruption, events: Int16(POLLIN), revents: 0)
            if interruption >= 0, poll(&wait, 1, 0) > 0 { break }
        }
    }

    func finish() -> String { digest.finish() }
}
