import Checkpoint
import Foundation
import Profile
import Testing

/// What a restore must not take: SECURITY-CASES S32.
@Suite struct SnapshotTrustTests {
    private func refuses(_ fixture: Fixture, _ word: String, _ id: String = "web-1") {
        do throws(SnapshotError) {
            _ = try fixture.store.verified(id)
            Issue.record("taken in spite of: \(word)")
        } catch {
            #expect(error.message.contains(word), "\(error.message)")
            #expect(!error.message.contains("\n"))
        }
    }

    @Test func oneByteInFiftyPlaces() throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        let files = ["manifest.json", "manifest.sha256", "images/pages-1.img", "images/inventory.img"]
        var refused = 0
        for round in 0..<50 {
            let file = files[round % files.count]
            let before = try fixture.bytes("web-1", file)
            var bytes = before
            let place = Int.random(in: 0..<bytes.count)
            bytes[place] ^= 1 << UInt8.random(in: 0..<8)
            try fixture.put(bytes, "web-1", file)
            do throws(SnapshotError) {
                _ = try fixture.store.verified("web-1")
                Issue.record("byte \(place) of \(file) was not missed")
            } catch {
                refused += 1
            }
            try fixture.put(before, "web-1", file)
        }
        #expect(refused == 50)
        _ = try fixture.store.verified("web-1")
    }

    @Test func missingAndExtraFiles() throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        try fixture.put(Data("x".utf8), "web-1", "images/core-1.img")
        refuses(fixture, "does not list")
        try FileManager.default.removeItem(atPath: fixture.path("web-1", "images/core-1.img"))
        try FileManager.default.removeItem(atPath: fixture.path("web-1", "images/pages-1.img"))
        refuses(fixture, "pages-1.img is missing")
        try FileManager.default.removeItem(atPath: fixture.path("web-1", "manifest.sha256"))
        refuses(fixture, "manifest.sha256 is missing")
    }

    @Test(arguments: ["images/pages-1.img", "images", "", "manifest.json"])
    func writableForOthers(_ path: String) throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        chmod(fixture.path("web-1", path), path.hasSuffix(".img") ? 0o620 : 0o722)
        refuses(fixture, path.isEmpty ? "nobody else" : "others may write")
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away"), arguments: ["images/pages-1.img", ""])
    func somebodyElses(_ path: String) throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        chown(fixture.path("web-1", path), 4321, 0)
        refuses(fixture, path.isEmpty ? "belong to you" : "not yours")
    }

    @Test func links() throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        let image = fixture.path("web-1", "images/pages-1.img")
        link(image, fixture.root + "/elsewhere")
        refuses(fixture, "hard link")
        unlink(image)
        symlink(fixture.root + "/elsewhere", image)
        refuses(fixture, "symbolic link")
        unlink(image)
        mkfifo(image, 0o600)
        refuses(fixture, "no regular file")
        rename(fixture.path("web-1", ""), fixture.root + "/moved")
        symlink(fixture.root + "/moved", fixture.store.path + "/web-1")
        refuses(fixture, "no symbolic link")
    }

    @Test func anotherNameIsAnotherSnapshot() throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        rename(fixture.store.path + "/web-1", fixture.store.path + "/web-2")
        refuses(fixture, "manifest of \"web-1\"", "web-2")
    }

    /// A manifest that was altered and sealed anew.
    private func forge(_ change: (inout Manifest) -> Void) throws -> Fixture {
        let fixture = try Fixture()
        var manifest = try fixture.snapshot("web-1")
        change(&manifest)
        try seal(fixture, manifest.document.json + "\n")
        return fixture
    }

    private func seal(_ fixture: Fixture, _ text: String) throws {
        try fixture.put(Data(text.utf8), "web-1", "manifest.json")
        try fixture.put(Data((Digest.of(text) + "\n").utf8), "web-1", "manifest.sha256")
    }

    @Test(arguments: ["../x", "/etc/passwd", "images/../../x", "..", "images//x", ".x", "a/b/c"])
    func pathTricks(_ path: String) throws {
        refuses(try forge { $0.files[0].path = path }, "no path within")
        refuses(try forge { $0.parent = path }, "no name for a snapshot")
        refuses(try forge { $0.upper = path }, "none of its files")
    }

    @Test func theSamePathTwice() throws { refuses(try forge { $0.files.append($0.files[0]) }, "no path within") }

    @Test func anotherProfile() throws {
        let fixture = try Fixture()
        let text = try fixture.snapshot("web-1").document.json + "\n"
        let changed = text.replacingOccurrences(of: "\"pid\"\n      ]", with: "\"net\"\n      ]")
        #expect(changed != text)
        try seal(fixture, changed)
        refuses(fixture, "not the one that the snapshot was made of")
    }

    @Test func truncatedOrOfAnotherFormat() throws {
        let fixture = try Fixture()
        let text = try fixture.snapshot("web-1").document.json
        for count in stride(from: 0, to: text.utf8.count, by: 97) {
            try seal(fixture, String(decoding: text.utf8.prefix(count), as: UTF8.self))
            refuses(fixture, "no JSON document")
        }
        try seal(fixture, text.replacingOccurrences(of: "\"format\": 2", with: "\"format\": 1"))
        refuses(fixture, "format 1")
        try seal(fixture, "{}")
        refuses(fixture, "no proper \"format\"")
    }
}
