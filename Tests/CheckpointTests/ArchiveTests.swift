import Foundation
import Profile
import Testing

@testable import Checkpoint

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zstd"), "needs zstd"))
struct ArchiveTests {
    /// A further store in the same directory.
    private func target(_ fixture: Fixture) -> SnapshotStore { SnapshotStore(path: fixture.root + "/target") }

    private func exported(_ fixture: Fixture, _ id: String = "web-1") throws -> String {
        let path = fixture.root + "/\(id).tar.zst"
        let file = try FinishedFile(path: path)
        try fixture.store.export(id, to: file.descriptor)
        try file.commit()
        return path
    }

    private func take(_ path: String, into store: SnapshotStore) throws -> Snapshot {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }  // It is only read.
        return try store.take(from: file.fileDescriptor, name: "archive")
    }

    private func refuses(_ path: String, _ fixture: Fixture, _ word: String) {
        do {
            _ = try take(path, into: target(fixture))
            Issue.record("taken in spite of: \(word)")
        } catch {
            let message = (error as? SnapshotError)?.message ?? "\(error)"
            #expect(message.hasPrefix("archive: ") && (word.isEmpty || message.contains(word)), "\(message)")
            #expect(!message.contains("\n"))
        }
        let left = (try? FileManager.default.contentsOfDirectory(atPath: target(fixture).path)) ?? []
        #expect(left.isEmpty, "\(left)")
    }

    /// One file of an archive, of a type as tar has them.
    private struct Entry {
        var path: String
        var content: Data
        var type: Character = "0"
        var size: Int?
        var link = ""
    }

    private func write(_ entries: [Entry], _ fixture: Fixture, end: Data = Data(count: 1024)) throws -> String {
        var bytes = Data()
        for entry in entries {
            let header = TarHeader(path: entry.path, size: entry.size ?? entry.content.count)
            var block = try #require(header.block)
            block[156] = try #require(entry.type.asciiValue)
            block.replaceSubrange(157..<157 + entry.link.utf8.count, with: entry.link.utf8)
            // The sum anew.
            for index in 148..<156 { block[index] = 0x20 }
            let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
            block.replaceSubrange(
                148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8))
            bytes += Data(block) + entry.content + Data(count: TarHeader(path: "", size: entry.content.count).padding)
        }
        return try compress(bytes + end, fixture)
    }

    private func compress(_ bytes: Data, _ fixture: Fixture) throws -> String {
        let (plain, packed) = (fixture.root + "/plain", fixture.root + "/packed")
        try bytes.write(to: URL(fileURLWithPath: plain))
        let process = try Process.run(
            URL(fileURLWithPath: "/usr/bin/zstd"), arguments: ["-q", "-f", plain, "-o", packed])
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return packed
    }

    /// What a good archive holds.
    private func entries(_ fixture: Fixture) throws -> [Entry] {
        try ["manifest.json", "manifest.sha256", "images/inventory.img", "images/pages-1.img"].map {
            Entry(path: "web-1/\($0)", content: try fixture.bytes("web-1", $0))
        }
    }

    @Test func whatIsExportedIsImported() throws {
        let fixture = try Fixture()
        let written = try fixture.snapshot("web-1")
        let path = try exported(fixture)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let taken = try take(path, into: target(fixture))
        #expect(taken.manifest == written)
        #expect(try target(fixture).verified("web-1").manifest == written)
        #expect(
            try take(try write(entries(fixture), fixture), into: SnapshotStore(path: fixture.root + "/third")).manifest
                == written)
        // A second time there is one of that name.
        #expect(throws: SnapshotError.self) { _ = try take(path, into: target(fixture)) }
        #expect(try target(fixture).verified("web-1").manifest == written)
    }

    @Test func tarReadsIt() throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        let path = try exported(fixture)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/tar")
        process.arguments = ["--zstd", "-C", fixture.root, "-xf", path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        for file in ["manifest.json", "images/pages-1.img"] {
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: fixture.root + "/web-1/" + file))
                    == fixture.bytes("web-1", file))
        }
    }

    @Test func anAlteredSnapshotIsNotExported() throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        try fixture.put(Data("x".utf8), "web-1", "images/inventory.img")
        #expect(throws: SnapshotError.self) { _ = try exported(fixture) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.root) == ["snapshots"])
    }

    @Test func aFileThatIsThereStays() throws {
        let fixture = try Fixture()
        let path = fixture.root + "/there"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: SnapshotError.self) { _ = try FinishedFile(path: path) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("mine".utf8))
    }

    @Test(arguments: [
        "../evil", "web-1/../../evil", "/tmp/evil", "web-1//tmp/evil", "web-1/images/../../evil", "web-2/images/x.img",
        "web-1/images/a/b", "web-1/.hidden", "web-1/manifest.json", "web-1/images/pages-1.img", "web-1/other.img",
    ])
    func pathTricks(_ path: String) throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        let more = Entry(path: path.contains("/") ? path : "x/" + path, content: Data("evil".utf8))
        let good = try entries(fixture)
        refuses(try write(good + [more], fixture), fixture, "not what its manifest lists")
        refuses(try write(Array(good[..<2]) + [more] + Array(good[2...]), fixture), fixture, "in it")
        #expect(!FileManager.default.fileExists(atPath: "/tmp/evil"))
        #expect(!FileManager.default.fileExists(atPath: fixture.root + "/evil"))
    }

    @Test(arguments: ["1", "2", "3", "4", "5", "6", "7", "x", "g", "L", "S"])
    func whatIsNoPlainFile(_ type: String) throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        var all = try entries(fixture)
        all[2].type = Character(type)
        all[2].link = type == "1" || type == "2" ? "/etc/passwd" : ""
        refuses(try write(all, fixture), fixture, "no plain file")
        all[2].type = "0"
        all[2].link = "/etc/passwd"
        refuses(try write(all, fixture), fixture, "no plain file")
    }

    @Test func contentsThatAreNotWhatTheManifestSays() throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        let good = try entries(fixture)
        for index in 2..<good.count {
            var all = good
            all[index].content[all[index].content.startIndex + 3] ^= 1
            refuses(try write(all, fixture), fixture, "has been altered")
            all = good
            all[index].content.removeLast()
            refuses(try write(all, fixture), fixture, "has been altered")
            all = good
            all.remove(at: index)
            refuses(try write(all, fixture), fixture, "is missing in it")
            all = good
            all.swapAt(0, index)
            refuses(try write(all, fixture), fixture, "no manifest comes first")
        }
        var all = good
        all[0].content[all[0].content.startIndex + 30] ^= 1
        refuses(try write(all, fixture), fixture, "altered")
        all = good.map { Entry(path: "web-9/" + $0.path.dropFirst(6), content: $0.content) }
        refuses(try write(all, fixture), fixture, "manifest of \"web-1\"")
        all = good.map { Entry(path: "../" + $0.path.dropFirst(6), content: $0.content) }
        refuses(try write(all, fixture), fixture, "no name for a snapshot")
        refuses(try write(good, fixture, end: Data(count: 1024) + Data("more".utf8)), fixture, "follows behind its end")
        refuses(try write(good, fixture, end: Data(count: 512)), fixture, "")
    }

    @Test func sizesThatNoDiskHas() throws {
        let fixture = try Fixture()
        var manifest = try fixture.snapshot("web-1")
        func archive() throws -> String {
            let text = manifest.document.json + "\n"
            return try write(
                [
                    Entry(path: "web-1/manifest.json", content: Data(text.utf8)),
                    Entry(path: "web-1/manifest.sha256", content: Data((Digest.of(text) + "\n").utf8)),
                ], fixture)
        }
        manifest.files[0].size = 1 << 49
        refuses(try archive(), fixture, "are free")
        manifest.files[0].size = .max
        refuses(try archive(), fixture, "no snapshot holds")
        manifest.files[0].size = -1
        refuses(try archive(), fixture, "no snapshot holds")
        refuses(
            try write([Entry(path: "web-1/manifest.json", content: Data("{}".utf8), size: 1 << 40)], fixture), fixture,
            "too large")
    }

    @Test func whatIsNoArchive() throws {
        let fixture = try Fixture()
        try fixture.snapshot("web-1")
        let whole = try Data(contentsOf: URL(fileURLWithPath: try exported(fixture)))
        let path = fixture.root + "/part"
        for count in stride(from: 0, to: whole.count, by: max(1, whole.count / 40)) {
            try whole.prefix(count).write(to: URL(fileURLWithPath: path))
            refuses(path, fixture, "")
        }
        try Data("no archive at all, and not compressed either".utf8).write(to: URL(fileURLWithPath: path))
        refuses(path, fixture, "zstd: ")
        refuses(
            try compress(Data("compressed, but no archive".utf8) + Data(count: 4096), fixture), fixture, "no archive")
    }

    @Test func aFlippedBitNeverMakesAnotherSnapshot() throws {
        let fixture = try Fixture()
        let written = try fixture.snapshot("web-1")
        let whole = try Data(contentsOf: URL(fileURLWithPath: try exported(fixture)))
        let path = fixture.root + "/flipped"
        var refused = 0
        for _ in 0..<50 {
            var bytes = whole
            bytes[Int.random(in: 0..<bytes.count)] ^= 1 << UInt8.random(in: 0..<8)
            try bytes.write(to: URL(fileURLWithPath: path))
            do {
                // A bit of the compression that means nothing may be another.
                #expect(try take(path, into: target(fixture)).manifest == written)
                #expect(try target(fixture).verified("web-1").manifest == written)
                try target(fixture).delete("web-1")
            } catch {
                refused += 1
            }
            #expect(try target(fixture).ids().isEmpty)
        }
        #expect(refused > 25)
    }

    @Test func headersKeepLongNamesAndLargeSizes() throws {
        for size in [0, 511, 512, 1 << 33 - 1, 1 << 33, 1 << 45] {
            let header = TarHeader(
                path: String(repeating: "a", count: 96) + "/images/" + String(repeating: "b", count: 96), size: size)
            #expect(try TarHeader(try #require(header.block)) == header)
        }
        #expect(TarHeader(path: "a/" + String(repeating: "b", count: 101), size: 1).block == nil)
        #expect(TarHeader(path: "without", size: 1).block == nil)
    }
}

@Suite struct ProcessorFeatureTests {
    @Test func instructionsAreTold() {
        let text = "processor\t: 0\nflags\t\t: fpu sse2 avx2 rep_good aes ibrs avx512f\nflags\t: other\n"
        #expect(ProcessorFeatures.list(in: text) == ["aes", "avx2", "avx512f", "sse2"])
    }

    @Test func whatIsMissingIsNamed() throws {
        var (there, here) = (Manifest.Versions(), Manifest.Versions())
        (there.machine, here.machine) = ("x86_64", "x86_64")
        there.processorFeatures = ["aes", "avx2"]
        here.processorFeatures = ["aes", "avx2", "sse2"]
        try there.check(on: here)
        here.processorFeatures = ["aes"]
        #expect(
            throws: SnapshotError(
                "this host's processor lacks instructions that the application may use: avx2",
                mend: "restore it on one that has them")
        ) {
            try there.check(on: here)
        }
        here.machine = "aarch64"
        #expect(throws: SnapshotError.self) { try there.check(on: here) }
    }
}
