import CLinux
import Glibc
import Kernel

/// zstd(1) at work in a process of its own: bytes go in at one end and come out at the other. What it reads may be
/// anybody's, so it is not this process that reads it.
final class Zstandard {
    /// Where bytes go in, or come out.
    let stream: Int32
    private let process: Int32
    private let complaints: Int32
    private var isOpen = true
    private var isOver = false
    private let handler: sighandler_t?

    /// What goes into ``stream`` comes out compressed in a file.
    static func compressing(into file: Int32, level: Int) throws(SnapshotError) -> Zstandard {
        try Zstandard(["-q", "-c", "-\(level)", "-T0"], from: nil, to: file)
    }

    /// What a file holds comes out of ``stream``. It gets no more than 128 MiB of memory for that.
    static func expanding(_ file: Int32) throws(SnapshotError) -> Zstandard {
        try Zstandard(["-q", "-d", "-c", "--memory=134217728"], from: file, to: nil)
    }

    private static func find() throws(SnapshotError) -> String {
        for folder in ["/usr/bin", "/bin", "/usr/local/bin"] where access("\(folder)/zstd", X_OK) == 0 {
            return "\(folder)/zstd"
        }
        throw SnapshotError("the program zstd is missing", mend: "apt-get install zstd")
    }

    private init(_ arguments: [String], from input: Int32?, to output: Int32?) throws(SnapshotError) {
        let program = try Zstandard.find()
        do throws(SystemError) {
            let data = try makePipe("start zstd")
            let words = try makePipe("start zstd")
            (stream, complaints) = (input == nil ? data.write : data.read, words.read)
            let theirs = input == nil ? data.read : data.write
            process = try startChild(in: []) {
                Zstandard.become([program] + arguments, input ?? theirs, output ?? theirs, words.write)
            }
            close(theirs)
            close(words.write)
        } catch {
            throw SnapshotError(error)
        }
        // Its end is told by what write(2) returns.
        handler = signal(SIGPIPE, SIG_IGN)
    }

    private static func become(_ words: [String], _ input: Int32, _ output: Int32, _ errors: Int32) -> Never {
        signal(SIGPIPE, SIG_DFL)
        guard dup2(input, 0) == 0, dup2(output, 1) == 1, dup2(errors, 2) == 2 else { _exit(125) }
        _ = linux_close_range(3, UInt32.max, 0)
        withCStrings(words) { words in
            withCStrings(["PATH=/usr/bin:/bin", "LC_ALL=C"]) { environment in
                if let path = words[0] { _ = execve(path, words, environment) }
            }
        }
        _exit(127)
    }

    /// Writes all of it.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(stream, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            if count < 0, errno == EINTR { continue }
            if count <= 0 {
                let code = errno
                try finish()
                throw SnapshotError(SystemError("write to zstd", code: code))
            }
            done += count
        }
    }

    /// Reads up to so many bytes; fewer at the end only.
    func read(_ bytes: UnsafeMutableRawBufferPointer) throws(SnapshotError) -> Int {
        var done = 0
        while done < bytes.count {
            let count = try attributed { () throws(SystemError) in
                try check("read from zstd") {
                    Int32(Glibc.read(stream, bytes.baseAddress?.advanced(by: done), min(bytes.count - done, 1 << 20)))
                }
            }
            if count == 0 { break }
            done += Int(count)
        }
        return done
    }

    /// Waits for its end.
    /// - Throws: what it says when it has failed.
    func finish() throws(SnapshotError) {
        if isOver { return }
        closeStream()
        isOver = true
        defer { signal(SIGPIPE, handler) }
        let said: String
        let status: WaitStatus
        do throws(SystemError) {
            said = try readText(complaints, name: "what zstd says", atMost: 1 << 20)
            status = try waitForEnd(of: process)
        } catch {
            throw SnapshotError(error)
        }
        if status == .exited(0) { return }
        let line = said.split(separator: "\n").first.map { String($0) } ?? "it ended with status \(status.exitStatus)"
        throw SnapshotError("zstd: \(line)")
    }

    private func closeStream() {
        if isOpen { close(stream) }
        isOpen = false
    }

    deinit {
        closeStream()
        if !isOver {
            // Without its other end it has nothing to do.
            while waitpid(process, nil, 0) < 0, errno == EINTR {}
            signal(SIGPIPE, handler)
        }
        close(complaints)
    }
}
