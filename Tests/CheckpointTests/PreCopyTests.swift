import Foundation
import Kernel
import Launch
import Profile
import Testing

@testable import Checkpoint

/// Copies of memory that are made before a save.
@Suite struct PreCopyTests {
    @Test("copies are made until little is written to meanwhile, and no more than are allowed")
    func plan() {
        let plan = PreCopyPlan(limit: 4)
        let (mebibyte, gibibyte) = (1 << 20, 1 << 30)
        let cases: [([Int], Bool)] = [
            ([], true), ([gibibyte], true),
            // Nothing worth a copy was there in the first place.
            ([3 * mebibyte], false), ([5 * mebibyte], true),
            ([gibibyte, 200 * mebibyte], true),
            // A sixty-fourth of all is little.
            ([gibibyte, 16 * mebibyte], false), ([gibibyte, 17 * mebibyte], true),
            // It writes as fast as it is copied.
            ([gibibyte, gibibyte], false), ([gibibyte, 800 * mebibyte], false),
            ([gibibyte, 400 * mebibyte, 390 * mebibyte], false), ([gibibyte, 400 * mebibyte, 200 * mebibyte], true),
            ([gibibyte, 400 * mebibyte, 200 * mebibyte, 100 * mebibyte], false),
        ]
        for (copied, expected) in cases { #expect(plan.goesOn(after: copied) == expected, "\(copied)") }
        #expect(!PreCopyPlan(limit: 1).goesOn(after: [gibibyte]))
    }

    @Test("CRIU's statistics tell how long processes stood still; what is none of them tells nothing")
    func statistics() {
        // freezing_time 129, frozen_time 300, and more.
        let entry: [UInt8] = [0x08, 0x81, 0x01, 0x10, 0xac, 0x02, 0x18, 0x05]
        let message = [0x0a, UInt8(entry.count)] + entry
        let image: [UInt8] = [0x40, 0x59, 0x10, 0x55, 0x06, 0x33, 0x09, 0x57, UInt8(message.count), 0, 0, 0] + message
        #expect(DumpStatistics.pause(image) == 429)
        for count in 0..<image.count { #expect(DumpStatistics.pause(Array(image.prefix(count))) == nil) }
        #expect(DumpStatistics.pause([0x41] + image.dropFirst()) == nil)
    }

    @Test(
        "a copy's files are known by their paths",
        arguments: [
            ("round-1/pages-1.img", 1), ("round-32/x", 32), ("round-0/x", nil), ("round-33/x", nil),
            ("round-01/x", nil),
            ("round-1", nil), ("rounds-1/x", nil), ("images/pages-1.img", nil), ("round--1/x", nil), ("round-/x", nil),
        ] as [(String, Int?)])
    func paths(_ path: String, _ number: Int?) {
        #expect(SnapshotStore.round(of: path) == number)
        #expect(SnapshotStore.isImage(path) == (number != nil || path.hasPrefix("images/")))
        #expect(SnapshotStore.isMemory(path) == path.hasSuffix("/pages-1.img"))
    }
}

/// Snapshots with copies that were made before.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zstd"), "needs zstd"))
struct PreCopiedSnapshotTests {
    private static let rounds = [1, 2]

    private static func pages(_ number: Int) -> Data {
        Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 1000 + number) })
    }

    private static func fill(_ draft: SnapshotDraft) throws {
        try pages(0).write(to: URL(fileURLWithPath: draft.images + "/pages-1.img"))
        for number in rounds {
            let folder = "\(draft.path)/round-\(number)"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            try pages(number).write(to: URL(fileURLWithPath: folder + "/pages-1.img"))
        }
    }

    private func fixture() throws -> Fixture {
        let fixture = try Fixture()
        let draft = try fixture.store.begin("web-1")
        try Self.fill(draft)
        try draft.commit(Self.manifest)
        return fixture
    }

    private static var manifest: Manifest {
        var manifest = Fixture.manifest("web-1", of: "web", created: 1)
        manifest.rounds = [.init(copied: 200_000, frozen: 812), .init(copied: 200_000, frozen: nil)]
        return manifest
    }

    /// What CRIU finds from the images on.
    private func chain(_ fixture: Fixture, _ snapshot: Snapshot) throws -> [Data?] {
        try fixture.store.expanded(snapshot) { ready throws(LaunchError) in
            // Whoever has it looks at it once more, as a clone does.
            (try fixture.store.expanded(ready) { again throws(LaunchError) in
                ["", "/parent", "/parent/parent", "/parent/parent/parent"].map {
                    FileManager.default.contents(atPath: "\(again.images)\($0)/pages-1.img")
                }
            })
        }
    }

    @Test("each copy is where CRIU looks for it, compressed or not, and nothing is left of that")
    func view() throws {
        let fixture = try fixture()
        let expected = [Self.pages(0), Self.pages(2), Self.pages(1), nil]
        let plain = try fixture.store.verified("web-1")
        #expect(plain.manifest.rounds == Self.manifest.rounds && plain.roundCount == 2 && plain.restsOnCopies)
        #expect(try chain(fixture, plain) == expected)
        try fixture.store.compress("web-1")
        let packed = try fixture.store.verified("web-1")
        #expect(packed.manifest.files.map(\.path) == ["images", "round-1", "round-2"].map { $0 + "/pages-1.img.zst" })
        #expect(try chain(fixture, packed) == expected)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.store.path) == ["web-1"])
    }

    @Test("a copy that is altered, missing or too many is missed; one that is left to the proof is proven")
    func trust() throws {
        let fixture = try fixture()
        let path = "round-1/pages-1.img"
        let before = try fixture.bytes("web-1", path)
        var bytes = before
        bytes[7] ^= 1
        try fixture.put(bytes, "web-1", path)
        #expect(throws: SnapshotError.self) { try fixture.store.verified("web-1") }
        let inspected = try fixture.store.inspected("web-1")
        #expect(inspected.unproven.contains(path))
        #expect(throws: LaunchError.self) { try ImageProof(of: inspected, in: fixture.store).confirm() }
        try fixture.put(before, "web-1", path)
        try ImageProof(of: fixture.store.inspected("web-1"), in: fixture.store).confirm()
        try fixture.put(before, "web-1", "round-1/core-1.img")
        #expect(throws: SnapshotError.self) { try fixture.store.verified("web-1") }
        try FileManager.default.removeItem(atPath: fixture.path("web-1", "round-1/core-1.img"))
        try FileManager.default.createSymbolicLink(
            atPath: fixture.path("web-1", "round-2/parent"), withDestinationPath: "../round-1")
        #expect(throws: SnapshotError.self) { try fixture.store.verified("web-1") }
        try FileManager.default.removeItem(atPath: fixture.path("web-1", "round-2/parent"))
        try FileManager.default.removeItem(atPath: fixture.path("web-1", path))
        #expect(throws: SnapshotError.self) { try fixture.store.verified("web-1") }
    }

    @Test("what is told of a file that has changed since is not believed")
    func told() throws {
        let fixture = try Fixture()
        let draft = try fixture.store.begin("web-1")
        try Self.fill(draft)
        draft.told["round-1/pages-1.img"] = .init(size: 17, digest: "0")
        try draft.commit(Self.manifest)
        _ = try fixture.store.verified("web-1")
    }

    @Test("a manifest of before there were copies is read")
    func older() throws {
        let manifest = Fixture.manifest("web-1", of: "web", created: 1)
        guard case .table(let entries) = manifest.document else { throw SnapshotError("no table") }
        let without = entries.filter { $0.key != "rounds" }
        #expect(without.count == entries.count - 1)
        let read = try Manifest(.table(without))
        #expect(read == manifest)
        let broken = without + [("rounds", .array([.table([("copied", .string("1"))])]))]
        #expect(throws: SnapshotError.self) { _ = try Manifest(.table(broken)) }
    }

    // MARK: - From host to host

    private func target(_ fixture: Fixture) -> SnapshotStore { SnapshotStore(path: fixture.root + "/target") }

    private func archive(_ fixture: Fixture, _ write: (Int32) throws -> Void) throws -> FileHandle {
        let path = fixture.root + "/archive"
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try write(file.fileDescriptor)
        try file.seek(toOffset: 0)
        return file
    }

    private func copies(_ fixture: Fixture, _ numbers: [Int], into arrived: ArrivedCopies) throws {
        let draft = try fixture.store.begin("web-1")
        defer { try? draft.discard() }  // Nothing of it is looked at.
        try Self.fill(draft)
        for number in numbers {
            let path = "round-\(number)/pages-1.img"
            var digest = Digest()
            Self.pages(number).withUnsafeBytes { digest.add($0) }
            let files = [Manifest.File(path: path, size: 200_000, digest: digest.finish())]
            let file = try archive(fixture) { try SnapshotStore.export(files, of: draft, to: $0) }
            try arrived.take(from: file.fileDescriptor)
        }
    }

    private func rest(_ fixture: Fixture, into arrived: ArrivedCopies) throws -> Snapshot {
        let source = try self.fixture()
        let gone = Set(Self.rounds.map { "round-\($0)/pages-1.img" })
        let file = try archive(fixture) { try source.store.export("web-1", leaving: gone, to: $0) }
        return try target(fixture).take(from: file.fileDescriptor, name: "archive", ArchiveKeys(), arrived)
    }

    private func left(_ fixture: Fixture) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: target(fixture).path)) ?? []
    }

    @Test("copies come first and the snapshot without them, and it is whole")
    func arrives() throws {
        let fixture = try Fixture()
        let arrived = ArrivedCopies(in: target(fixture))
        try copies(fixture, [1, 2], into: arrived)
        #expect(left(fixture).allSatisfy { $0.hasPrefix(".") })
        let taken = try rest(fixture, into: arrived)
        #expect(try target(fixture).verified("web-1") == taken && taken.roundCount == 2)
        #expect(left(fixture) == ["web-1"])
    }

    @Test("one that is missing, comes twice or out of turn, or is cut off is refused, and nothing is left")
    func refuses() throws {
        let fixture = try Fixture()
        let missing = ArrivedCopies(in: target(fixture))
        try copies(fixture, [1], into: missing)
        #expect(throws: SnapshotError.self) { try rest(fixture, into: missing) }
        #expect(left(fixture).isEmpty)
        for wrong in [[1, 1], [2], [1, 3]] {
            let arrived = ArrivedCopies(in: target(fixture))
            #expect(throws: SnapshotError.self, "\(wrong)") { try copies(fixture, wrong, into: arrived) }
            try arrived.discard()
            #expect(left(fixture).isEmpty, "\(wrong)")
        }
        let cut = ArrivedCopies(in: target(fixture))
        try copies(fixture, [1], into: cut)
        let path = fixture.root + "/archive"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        #expect(throws: SnapshotError.self) { try cut.take(from: file.fileDescriptor) }
        try cut.discard()
        #expect(left(fixture).isEmpty)
    }

    @Test("a copy that is not what the snapshot's manifest lists is refused")
    func altered() throws {
        let fixture = try Fixture()
        let arrived = ArrivedCopies(in: target(fixture))
        try copies(fixture, [1, 2], into: arrived)
        // Another snapshot with other copies under the same names.
        let source = try Fixture()
        let draft = try source.store.begin("web-1")
        try Self.fill(draft)
        try Self.pages(9).write(to: URL(fileURLWithPath: "\(draft.path)/round-1/pages-1.img"))
        try draft.commit(Self.manifest)
        let gone = Set(Self.rounds.map { "round-\($0)/pages-1.img" })
        let file = try archive(fixture) { try source.store.export("web-1", leaving: gone, to: $0) }
        #expect(throws: SnapshotError.self) {
            try target(fixture).take(from: file.fileDescriptor, name: "archive", ArchiveKeys(), arrived)
        }
        #expect(left(fixture).isEmpty)
    }
}
