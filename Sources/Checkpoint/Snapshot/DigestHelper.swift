import CLinux
import Glibc
import Kernel

/// A process that digests a file's blocks from the file's end backwards, while another one does so from the beginning. It
/// gives way to all else, and may be ended at any time: each two blocks are told as soon as they are done.
final class DigestHelper {
    /// Where it has come to, in bytes: the blocks from there to the end are told.
    private(set) var reached: Int
    private let end: Int
    /// The lines of two blocks each, those of the end first.
    private var told: [UInt8] = []
    private let answer: Int32
    private var process: Int32

    /// Bytes that are worth a process of their own.
    private static let least = 16 << 20
    private static let record = 2 * FileDigest.line

    /// - Parameter end: where it begins; a whole number of two blocks behind the other one's beginning.
    /// - Parameter done: told of each two by that process.
    /// - Returns: `nil` where a single processor would do it in the same time.
    init?(
        _ file: Int32, from start: Int, to end: Int, name: String, done: (_ place: Int) -> Void
    ) throws(SystemError) {
        if end - start < DigestHelper.least || !MemoryDigests.canWorkBeside { return nil }
        let answers = try makePipe("digest \(name)")
        process = try startChild(in: []) {
            MemoryDigests.giveWay(closing: answers.read)
            DigestHelper.work(file, start, end, answers.write, name, done)
        }
        close(answers.write)
        answer = answers.read
        self.end = end
        reached = end
        _ = linux_fcntl(answer, F_SETFL, O_NONBLOCK)
    }

    deinit { stop() }

    /// Hears how far it is.
    func hear() {
        var part = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = read(answer, &part, part.count)
            if count > 0 { told += part[..<count] }
            if count < 0, errno == EINTR { continue }
            if count < part.count { break }
        }
        reached = end - told.count / DigestHelper.record * FileDigest.pair
    }

    /// Ends it.
    /// - Returns: the lines of the blocks from `place` on, which it must have ``reached``.
    func finish(at place: Int) -> [UInt8] {
        stop()
        var lines: [UInt8] = []
        for number in (0..<(end - place) / FileDigest.pair).reversed() {
            lines += told[(number * DigestHelper.record)..<((number + 1) * DigestHelper.record)]
        }
        return lines
    }

    private func stop() {
        if process == 0 { return }
        kill(process, SIGKILL)
        close(answer)
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
        process = 0
    }

    private static func work(
        _ file: Int32, _ start: Int, _ end: Int, _ answer: Int32, _ name: String, _ done: (Int) -> Void
    ) -> Never {
        var reader = BlockReader(file, name: name, .mapped)
        // What it cannot read the other one reads, and tells why it cannot.
        do throws(SystemError) {
            for place in stride(from: end - FileDigest.pair, through: start, by: -FileDigest.pair) {
                try writeBytes(FileDigest.lines(of: try reader.pair(at: place)), to: answer, name: name)
                done(place)
            }
        } catch {
            _exit(1)
        }
        _exit(0)
    }
}

extension FileDigest {
    /// As ``addPairs(of:to:name:while:)``, with a process beside this one where that is worth its while.
    /// - Parameter done: told of the place of each two blocks, perhaps by that process.
    mutating func addPairsHelped(
        of file: Int32, to end: Int, name: String, by way: BlockReader.Way = .copied,
        done: (_ place: Int) -> Void = { _ in }
    ) throws(SystemError) {
        let last = size + (end - size) / FileDigest.pair * FileDigest.pair
        let helper = filled == 0 ? try DigestHelper(file, from: size, to: last, name: name, done: done) : nil
        try addPairs(of: file, to: last, name: name, by: way) { size in
            done(size - FileDigest.pair)
            helper?.hear()
            return size < helper?.reached ?? last
        }
        if let helper { append(lines: helper.finish(at: size)) }
    }
}
