import Checkpoint
import Foundation
import Profile
import Testing

@Suite struct SnapshotStoreTests {
    @Test func whatIsCommittedIsReadBack() throws {
        let fixture = try Fixture()
        let written = try fixture.snapshot("web-1")
        let snapshot = try fixture.store.verified("web-1")
        #expect(snapshot.manifest == written)
        #expect(snapshot.manifest.files.map(\.path) == ["images/inventory.img", "images/pages-1.img"])
        #expect(snapshot.size == 9009)
        #expect(try fixture.store.ids() == ["web-1"])
    }

    @Test func digestIsTheStandards() {
        #expect(Digest.of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Digest.of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func aDiscardedOneLeavesNothing() throws {
        let fixture = try Fixture()
        do {
            let draft = try fixture.store.begin("half")
            try Data("x".utf8).write(to: URL(fileURLWithPath: draft.images + "/pages-1.img"))
            try draft.discard()
        }
        do { _ = try fixture.store.begin("dropped") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.store.path).isEmpty)
    }

    @Test func aNameIsTakenOnce() throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        #expect(throws: SnapshotError.self) { _ = try fixture.store.begin("web-1").discard() }
        try fixture.store.delete("web-1")
        #expect(try fixture.store.ids().isEmpty)
        #expect(throws: SnapshotError.self) { try fixture.store.delete("web-1") }
    }

    @Test func theNewestOfASandboxIsFound() throws {
        let fixture = try Fixture()
        try fixture.snapshot("z", created: 1000)
        try fixture.snapshot("a", created: 2000)
        try fixture.snapshot("other", of: "db", created: 3000)
        #expect(try fixture.store.latest(of: "web") == "a")
        #expect(try fixture.store.resolve("web") == "a")
        #expect(try fixture.store.resolve("z") == "z")
        #expect(throws: SnapshotError.self) { try fixture.store.resolve("nobody") }
    }

    @Test func idsTellSandboxAndTime() throws {
        let fixture = try Fixture()
        let id = fixture.store.newID(for: "web", now: 1_700_000_000_123)
        #expect(id == "web-20231114T221320.123")
        try fixture.snapshot(id)
        #expect(fixture.store.newID(for: "web", now: 1_700_000_000_123) == id + "-2")
    }

    @Test(arguments: ["", ".", "..", "../x", "a/b", ".hidden", "-x", "a b", String(repeating: "a", count: 97)])
    func badNamesAreRefused(_ id: String) throws {
        let fixture = try Fixture()
        #expect(!SnapshotStore.isID(id))
        #expect(throws: SnapshotError.self) { _ = try fixture.store.snapshot(id) }
        #expect(throws: SnapshotError.self) { try fixture.store.delete(id) }
    }

    @Test func whatAKilledProcessLeftIsSweptAndNothingElse() throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        let dead = fixture.store.path + "/.web-2.4194303.1"
        try FileManager.default.createDirectory(
            atPath: dead + "/images", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let live = try fixture.store.begin("web-3")
        #expect(try fixture.store.sweep() == [dead])
        #expect(FileManager.default.fileExists(atPath: live.path))
        try live.discard()
        #expect(try fixture.store.ids() == ["web-1"])
    }
}
