import Foundation
import Testing

@testable import Checkpoint

@Suite("Digests of files")
struct FileDigestTests {
    private static let block = FileDigest.block

    /// Bytes that repeat nowhere near.
    private func bytes(_ count: Int) -> [UInt8] {
        var state: UInt64 = 88_172_645_463_325_252
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
    }

    private func plain(_ bytes: ArraySlice<UInt8>) -> String {
        var digest = Digest()
        bytes.withUnsafeBytes { digest.add($0) }
        return digest.finish()
    }

    /// As the documentation says.
    private func expected(_ bytes: [UInt8]) -> String {
        if bytes.count <= Self.block { return plain(bytes[...]) }
        let lines = stride(from: 0, to: bytes.count, by: Self.block).map { start in
            plain(bytes[start..<min(bytes.count, start + Self.block)]) + "\n"
        }
        return Digest.of(lines.joined())
    }

    @Test(
        "of any size it is what the blocks make, read from a file or added piece by piece",
        arguments: [
            0, 1, block - 1, block, block + 1, 2 * block, 2 * block + 77, 3 * block, 4 * block - 1, 5 * block + 64,
            33 * block + 5, 66 * block,
        ])
    func sizes(_ size: Int) throws {
        let content = bytes(size)
        let path = NSTemporaryDirectory() + "file-digest-\(UUID())"
        try Data(content).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        let file = open(path, O_RDONLY)
        defer { close(file) }
        let read = try FileDigest.of(file: file, name: path)
        #expect(read.sum == expected(content) && read.size == size)
        let mapped = try FileDigest.of(file: file, name: path, by: .mapped)
        #expect(mapped == read)
        var added = FileDigest()
        var rest = content[...]
        while !rest.isEmpty {
            rest.prefix(99_991).withUnsafeBytes { added.add($0) }
            rest = rest.dropFirst(99_991)
        }
        #expect(added.finish() == expected(content))
    }

    @Test("a file that grows while it is digested comes out the same, and its lines are those of all blocks")
    func growing() throws {
        let content = bytes(5 * Self.block + 1000)
        let path = NSTemporaryDirectory() + "file-digest-\(UUID())"
        let file = open(path, O_RDWR | O_CREAT, 0o600)
        defer {
            close(file)
            unlink(path)
        }
        var digest = FileDigest()
        for end in [1000, Self.block, 2 * Self.block + 5, 5 * Self.block - 1, content.count] {
            let start = Int(lseek(file, 0, SEEK_END))
            #expect(write(file, Array(content[start..<end]), end - start) == end - start)
            try digest.addPairs(of: file, to: end, name: path)
            #expect(digest.size == end / (2 * Self.block) * 2 * Self.block)
        }
        try digest.addAll(of: file, name: path)
        #expect(digest.finish() == expected(content))
        #expect(digest.lines.count == 6 * FileDigest.line && FileDigest.of(digest.lines) == expected(content))
    }

    @Test("two processes come to the same, however far each of them gets", arguments: [10, 40, 1000])
    func helped(_ pause: UInt32) throws {
        let content = bytes(80 * Self.block + 99)
        let path = NSTemporaryDirectory() + "file-digest-\(UUID())"
        try Data(content).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        let file = open(path, O_RDONLY)
        defer { close(file) }
        let own = getpid()
        // The copy of a process with other threads may stand still: those of a test run are many.
        for attempt in 1...20 {
            var places = 0
            var digest = FileDigest()
            try digest.addPairsHelped(of: file, to: content.count, name: path) { _ in
                usleep(getpid() == own ? pause * 100 : 5000)
                places += 1
            }
            #expect(digest.size == 80 * Self.block)
            try digest.addAll(of: file, name: path)
            #expect(digest.finish() == expected(content))
            if places < 40 { return }
            if attempt == 20 { Issue.record("the helper never came to anything") }
        }
    }

    @Test("one that becomes shorter meanwhile is an error") func shorter() throws {
        let path = NSTemporaryDirectory() + "file-digest-\(UUID())"
        try Data(bytes(10)).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        let file = open(path, O_RDONLY)
        defer { close(file) }
        var digest = FileDigest()
        #expect(throws: (any Error).self) { try digest.addPairs(of: file, to: 2 * Self.block, name: path) }
    }
}
