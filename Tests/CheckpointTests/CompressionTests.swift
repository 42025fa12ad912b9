import Foundation
import Launch
import Profile
import Testing

@testable import Checkpoint

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zstd"), "needs zstd"))
struct CompressionTests {
    private static let pages = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 1000) })

    private func fixture() throws -> Fixture {
        let fixture = try Fixture()
        let draft = try fixture.store.begin("web-1")
        try Self.pages.write(to: URL(fileURLWithPath: draft.images + "/pages-1.img"))
        try Data("inventory".utf8).write(to: URL(fileURLWithPath: draft.images + "/inventory.img"))
        try draft.commit(Fixture.manifest("web-1", of: "web", created: 1))
        return fixture
    }

    @Test func theContentStaysTheSame() throws {
        let fixture = try fixture()
        let before = try fixture.store.verified("web-1")
        try fixture.store.compress("web-1")
        let after = try fixture.store.verified("web-1")
        #expect(
            before.manifest.files.map(\.path) == ["blocks/pages-1.img", "images/inventory.img", "images/pages-1.img"])
        #expect(after.isCompressed && after.size < before.size / 10)
        #expect(after.expandedSize == before.size - before.manifest.files[0].size)
        #expect(after.manifest.files.map(\.path) == ["images/inventory.img", "images/pages-1.img.zst"])
        #expect(after.manifest.profile == before.manifest.profile)
        let names = try fixture.store.expanded(after) { ready throws(LaunchError) in
            #expect(!ready.isCompressed)
            let folder = ready.images
            #expect(FileManager.default.contents(atPath: folder + "/pages-1.img") == Self.pages)
            #expect(FileManager.default.contents(atPath: folder + "/inventory.img") == Data("inventory".utf8))
            return (try? FileManager.default.contentsOfDirectory(atPath: fixture.store.path)) ?? []
        }
        #expect(names.count == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.store.path) == ["web-1"])
        // Once more it stays as it is.
        try fixture.store.compress("web-1")
        #expect(try fixture.store.verified("web-1") == after)
    }

    @Test func whatIsNoImageIsLeftAsItIs() throws {
        let fixture = try Fixture()
        let draft = try fixture.store.begin("web-1")
        try Self.pages.write(to: URL(fileURLWithPath: draft.images + "/pages-1.img"))
        try Self.pages.write(to: URL(fileURLWithPath: draft.path + "/log"))
        try draft.commit(Fixture.manifest("web-1", of: "web", created: 1))
        try fixture.store.compress("web-1")
        let after = try fixture.store.verified("web-1")
        #expect(after.manifest.files.map(\.path) == ["images/pages-1.img.zst", "log"])
        #expect(try fixture.bytes("web-1", "log") == Self.pages)
    }

    @Test func whatIsNotCompressedIsGivenAsItIs() throws {
        let fixture = try fixture()
        let snapshot = try fixture.store.verified("web-1")
        let images = try fixture.store.expanded(snapshot) { ready throws(LaunchError) in ready.images }
        #expect(images == snapshot.path + "/images")
    }

    @Test func anAlteredOneIsNeitherCompressedNorExpanded() throws {
        let fixture = try fixture()
        var bytes = try fixture.bytes("web-1", "images/pages-1.img")
        bytes[5] ^= 1
        try fixture.put(bytes, "web-1", "images/pages-1.img")
        #expect(throws: SnapshotError.self) { try fixture.store.compress("web-1") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.store.path) == ["web-1"])
        bytes[5] ^= 1
        try fixture.put(bytes, "web-1", "images/pages-1.img")
        try fixture.store.compress("web-1")
        let snapshot = try fixture.store.verified("web-1")
        for place in [10, 20, 30] {
            var packed = try fixture.bytes("web-1", "images/pages-1.img.zst")
            packed[place] ^= 0x10
            try fixture.put(packed, "web-1", "images/pages-1.img.zst")
            #expect(throws: SnapshotError.self) { try fixture.store.verified("web-1") }
            #expect(throws: LaunchError.self) { try fixture.store.expanded(snapshot) { _ in } }
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.store.path) == ["web-1"])
            packed[place] ^= 0x10
            try fixture.put(packed, "web-1", "images/pages-1.img.zst")
        }
    }

    @Test(arguments: [299_999, 300_001, 0, 1 << 49])
    func anotherSizeThanListedIsRefused(_ size: Int) throws {
        let fixture = try fixture()
        try fixture.store.compress("web-1")
        let snapshot = try fixture.store.verified("web-1")
        var manifest = snapshot.manifest
        manifest.files[1].expandedSize = size
        let forged = Snapshot(path: snapshot.path, manifest: manifest)
        #expect(throws: LaunchError.self) { try fixture.store.expanded(forged) { _ in } }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.store.path) == ["web-1"])
    }

    @Test func aFailureInBetweenLeavesNothing() throws {
        let fixture = try fixture()
        try fixture.store.compress("web-1")
        let snapshot = try fixture.store.verified("web-1")
        #expect(throws: LaunchError("no")) {
            try fixture.store.expanded(snapshot) { _ throws(LaunchError) in throw LaunchError("no") }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.store.path) == ["web-1"])
    }

    @Test func aCompressedOneTravels() throws {
        let fixture = try fixture()
        try fixture.store.compress("web-1")
        let path = fixture.root + "/file"
        let file = try FinishedFile(path: path)
        try fixture.store.export("web-1", to: file.descriptor)
        try file.commit()
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let store = SnapshotStore(path: fixture.root + "/target")
        let taken = try store.take(from: handle.fileDescriptor, name: "file")
        #expect(taken.isCompressed)
        #expect(try store.verified("web-1").manifest == taken.manifest)
    }

    @Test(arguments: ["images/x.img.zst", "other.zst"])
    func forgedNames(_ path: String) throws {
        let fixture = try fixture()
        var manifest = try fixture.store.snapshot("web-1").manifest
        manifest.files = [
            .init(path: path, size: 1, digest: "", expandedSize: path.hasPrefix("images") ? -1 : 1)
        ]
        #expect(throws: SnapshotError.self) { try fixture.store.check(manifest, "web-1") }
        manifest.files = [
            .init(path: "images/x.img", size: 1, digest: ""),
            .init(path: "images/x.img.zst", size: 1, digest: "", expandedSize: 1),
        ]
        #expect(throws: SnapshotError.self) { try fixture.store.check(manifest, "web-1") }
    }
}

@Suite struct GatheringTests {
    @Test func localSocketsOfTheBoxAreTold() {
        let text = """
            Num       RefCount Protocol Flags    Type St Inode Path
            0000000000000000: 00000002 00000000 00010000 0001 01 11 /run/a b
            0000000000000000: 00000003 00000000 00000000 0001 03 12
            0000000000000000: 00000003 00000000 00000000 0001 03 13 /run/others
            """
        let sockets = SocketTable.localSockets(in: text, [11: 1, 12: 7])
        #expect(sockets.map(\.local) == ["/run/a b", ""] && sockets.map(\.state) == ["LISTEN", "CONNECTED"])
        #expect(sockets.map(\.pid) == [1, 7])
    }
}
