import Foundation
import Kernel
import Testing

@testable import Checkpoint

@Suite("Memory that is checked when it is brought in")
struct LatePagesTests {
    private func entry(_ fields: [(Int, UInt64)]) -> [UInt8] {
        let message = fields.flatMap { field, value in
            var bytes = [UInt8(field << 3)]
            var rest = value
            repeat {
                bytes.append(UInt8(rest & 127) | (rest > 127 ? 128 : 0))
                rest >>= 7
            } while rest > 0
            return bytes
        }
        return withUnsafeBytes(of: UInt32(message.count).littleEndian) { Array($0) } + message
    }

    private static let magic: [UInt8] = [0x19, 0x43, 0x56, 0x54, 0x25, 0x40, 0x08, 0x56]

    /// Three pages that come late, a hole, two that do not, and one that is not in the file.
    private func parts() -> [[UInt8]] {
        [
            Self.magic, entry([(1, 7)]), entry([(1, 0x10000), (2, 3), (4, 6)]), entry([(1, 0x40000), (2, 2), (4, 4)]),
            entry([(1, 0x50000), (2, 1), (4, 0)]), entry([(1, 0x60000), (2, 9), (4, 6), (5, 1)]),
        ]
    }

    private func image() -> [UInt8] { parts().flatMap { $0 } }

    @Test("an image tells where pages are, and which come late") func map() throws {
        let page = PageMap.page
        let map = try #require(PageMap(image()))
        #expect(map.file == "images/pages-7.img" && map.rewritten == nil)
        #expect(map.ranges.map(\.isLate) == [true, false, true])
        #expect(map.ranges.map(\.offset) == [0, 3 * page, 5 * page])
        let next = UInt64(page)
        #expect(map.place(of: 0x10000, 100)?.bytes == 0..<3 * page)
        #expect(map.place(of: 0x10000 + next, 1)?.bytes == page..<2 * page)
        #expect(map.place(of: 0x40000 + next, 5)?.bytes == 4 * page..<5 * page)
        #expect(map.place(of: 0x60000, 1)?.bytes == 5 * page..<6 * page)
        for address: UInt64 in [0, 0x10000 - next, 0x10000 + 3 * next, 0x50000, 0x60000 + next] {
            #expect(map.place(of: address, 1) == nil)
        }
        #expect(map.place(of: 0x10000, 0) == nil)
    }

    @Test("one that adds to copies tells where pages are among all of them, and is rewritten to have them come late")
    func copies() throws {
        let page = PageMap.page
        let next = UInt64(page)
        let first = try #require(
            PageMap(
                Self.magic + entry([(1, 3)]) + entry([(1, 0x10000), (2, 4), (4, 6)])
                    + entry([(1, 0x20000), (2, 2), (4, 4)]),
                in: "round-1"))
        // The first page is another one, the second as it was.
        let second = try #require(
            PageMap(
                Self.magic + entry([(1, 3)]) + entry([(1, 0x10000), (2, 1), (4, 6)])
                    + entry([(1, 0x10000 + next), (2, 3), (4, 1)]) + entry([(1, 0x20000), (2, 2), (4, 1)]),
                in: "round-2", before: first))
        let image =
            Self.magic + entry([(1, 9)]) + entry([(1, 0x10000), (2, 2), (3, 1)])
            + entry([(1, 0x10000 + 2 * next), (2, 2), (4, 6)]) + entry([(1, 0x20000), (2, 2), (4, 1), (5, 2)])
        let map = try #require(PageMap(image, before: second))
        let places = [0x10000, 0x10000 + next, 0x10000 + 2 * next, 0x20000].map { map.place(of: $0, 9) }
        #expect(
            places.map { $0?.file } == [
                "round-2/pages-3.img", "round-1/pages-3.img", "images/pages-9.img", "round-1/pages-3.img",
            ])
        #expect(places.map { $0?.bytes } == [0..<page, page..<2 * page, 0..<2 * page, 4 * page..<6 * page])
        #expect(places.map { $0?.isLate } == [true, true, true, false])
        // In an image for CRIU those of copies come late and are in no file, or are looked for in the copies.
        let rewritten = try #require(map.rewritten)
        let expected =
            Self.magic + entry([(1, 9)]) + entry([(1, 0x10000), (2, 1), (4, 2), (5, 1)])
            + entry([(1, 0x10000 + next), (2, 1), (4, 2), (5, 1)]) + entry([(1, 0x10000 + 2 * next), (2, 2), (4, 6)])
            + entry([(1, 0x20000), (2, 2), (4, 1), (5, 2)])
        let own = try #require(PageMap(rewritten, before: second))
        #expect(own.ranges.map(\.start) == [0x10000 + 2 * next, 0x20000])
        #expect(own.ranges == PageMap(expected, before: second)?.ranges)
        // A page that no copy has.
        #expect(PageMap(Self.magic + entry([(1, 9)]) + entry([(1, 0x20000), (2, 3), (4, 1)]), before: second) == nil)
    }

    @Test("what is no such image, is cut off, or adds to another one is not taken") func damaged() {
        let whole = image()
        // Cut between two entries it is a shorter one.
        let ends = (2...parts().count).map { parts().prefix($0).reduce(0) { $0 + $1.count } }
        for count in 0...whole.count {
            #expect((PageMap(Array(whole.prefix(count))) != nil) == ends.contains(count), "\(count)")
        }
        #expect(PageMap([UInt8](repeating: 0, count: 64)) == nil)
        let parent = Self.magic + entry([(1, 1)]) + entry([(1, 0x10000), (2, 3), (4, 1)])
        #expect(PageMap(parent) == nil)
        let before = Self.magic + entry([(1, 1)]) + entry([(1, 0x10000), (2, 3), (3, 1)])
        #expect(PageMap(before) == nil)
        let twice = Self.magic + entry([(1, 1)]) + entry([(1, 0x10000), (2, 3)]) + entry([(1, 0x10000), (2, 1)])
        #expect(PageMap(twice) == nil)
    }

    /// A snapshot with a file of several blocks.
    private func snapshot(_ fixture: Fixture) throws -> (Snapshot, [UInt8]) {
        var content = [UInt8](repeating: 0, count: 5 * FileDigest.block + 4096)
        for index in content.indices { content[index] = UInt8(truncatingIfNeeded: index / 4096 &* 31 &+ index) }
        let draft = try fixture.store.begin("large")
        try Data(content).write(to: URL(fileURLWithPath: draft.images + "/pages-7.img"))
        try Data(image()).write(to: URL(fileURLWithPath: draft.images + "/pagemap-1.img"))
        try draft.commit(Fixture.manifest("large", of: "web", created: 1))
        return (try fixture.store.inspected("large"), content)
    }

    private func file(_ snapshot: Snapshot) throws -> ProvenFile {
        let listed = try #require(snapshot.manifest.files.first { $0.path == "images/pages-7.img" })
        return try ProvenFile(listed, in: try StateFolder(existing: snapshot.path))
    }

    private func read(_ file: ProvenFile, _ bytes: Range<Int>) throws -> [UInt8] {
        var read = [UInt8](repeating: 0, count: bytes.count)
        try read.withUnsafeMutableBytes { try file.copy(bytes, to: try #require($0.baseAddress)) }
        return read
    }

    @Test("a large file of memory has its blocks' digests beside it; a byte that changes is found where it is read")
    func blocks() throws {
        let fixture = try Fixture()
        let (snapshot, content) = try snapshot(fixture)
        #expect(snapshot.manifest.files.contains { $0.path == "blocks/pages-7.img" })
        _ = try fixture.store.verified("large")
        let parts = [0..<10, FileDigest.block - 5..<2 * FileDigest.block + 5, content.count - 3..<content.count]
        let whole = try file(snapshot)
        for part in parts { #expect(try read(whole, part) == Array(content[part])) }
        #expect(throws: SnapshotError.self) { try whole.check(0..<content.count + 1) }
        var bytes = try fixture.bytes("large", "images/pages-7.img")
        bytes[2 * FileDigest.block] ^= 1
        try fixture.put(bytes, "large", "images/pages-7.img")
        let altered = try file(snapshot)
        #expect(try read(altered, parts[0]) == Array(content[parts[0]]))
        #expect(try read(altered, parts[2]) == Array(content[parts[2]]))
        do throws(SnapshotError) {
            try altered.check(parts[1])
            Issue.record("an altered block was read")
        } catch {
            #expect(error.message.contains("images/pages-7.img has been altered"), "\(error.message)")
        }
    }

    @Test("a list of digests that is not the manifest's is refused") func list() throws {
        let fixture = try Fixture()
        let (snapshot, _) = try snapshot(fixture)
        var lines = try fixture.bytes("large", "blocks/pages-7.img")
        lines[3] = lines[3] == 0x30 ? 0x31 : 0x30
        try fixture.put(lines, "large", "blocks/pages-7.img")
        #expect(throws: SnapshotError.self) { try file(snapshot) }
        #expect(throws: SnapshotError.self) { try fixture.store.verified("large") }
    }

    @Test("what does not come late is checked before") func early() throws {
        let fixture = try Fixture()
        let (snapshot, _) = try snapshot(fixture)
        let late = try #require(try LatePages(of: snapshot))
        let page = PageMap.page
        #expect(late.early(of: "images/pages-7.img") == [3 * page..<5 * page])
        #expect(late.early(of: "images/pages-9.img") == nil)
        try late.checkEarly()
        var bytes = try fixture.bytes("large", "images/pages-7.img")
        bytes[3 * page] ^= 1
        try fixture.put(bytes, "large", "images/pages-7.img")
        #expect(throws: SnapshotError.self) { try late.checkEarly() }
    }
}
