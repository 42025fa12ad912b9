import Glibc
import Testing

/// S32: a snapshot that somebody else could have written, or that was altered, is not restored.
@Suite("Security: snapshots", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct SnapshotSecurityTests {
    /// A snapshot `s` of a sandbox that is gone.
    private func scene() throws -> (box: Box, files: [String]) {
        let box = try Box()
        try box.must([box.binary, "run", "-d", "-n", "box", "--set", "checkpoint.enabled=true", "--", "sleep", "600"])
        try box.must([box.binary, "checkpoint", "box", "--snapshot", "s"])
        try box.must([box.binary, "rm", "box"])
        let folder = box.file("state/snapshots/s")
        var files = Files.list(folder).filter { $0 != "images" }.map { "\(folder)/\($0)" }
        files += Files.list(folder + "/images").map { "\(folder)/images/\($0)" }
        #expect(files.count > 10, "\(files)")
        return (box, files)
    }

    private func expectRefusal(_ box: Box, _ place: String, _ words: String = "") throws {
        let refused = try box.sandbox(["restore", "s", "-d"])
        #expect(refused.status == 125 && refused.errorLines.count == 1, "\(place): \(refused)")
        #expect(refused.err.contains(words), "\(place): \(refused)")
        #expect(box.phase("box") == nil, "\(place)")
    }

    private func expectRestore(_ box: Box) throws {
        let restored = try box.sandbox(["restore", "s", "-d"])
        #expect(restored.succeeded, "control: \(restored)")
        #expect(box.phase("box") == "running")
        #expect(try box.sandbox(["rm", "-f", "box"]).succeeded)
    }

    @Test("S32: a flipped byte in each of 50 random places is refused, and the whole snapshot is not")
    func flippedBytes() throws {
        let (box, files) = try scene()
        try expectRestore(box)
        for round in 0..<50 {
            let path = files[round < files.count ? round : Int.random(in: 0..<files.count)]
            let file = open(path, O_RDWR)
            defer { close(file) }
            let size = Int(lseek(file, 0, SEEK_END))
            // An empty file has no byte to flip: one is added.
            let place = off_t(size == 0 ? 0 : Int.random(in: 0..<size))
            var byte: UInt8 = 0
            _ = pread(file, &byte, 1, place)
            var flipped = byte ^ (1 << UInt8.random(in: 0..<8))
            #expect(pwrite(file, &flipped, 1, place) == 1)
            try expectRefusal(box, "byte \(place) of \(size) in \(path)")
            #expect(pwrite(file, &byte, 1, place) == 1)
            ftruncate(file, off_t(size))
        }
        try expectRestore(box)
    }

    @Test("S32: files that others may write or own, links, missing and further files are refused")
    func others() throws {
        let (box, files) = try scene()
        let folder = box.file("state/snapshots/s")
        let image = try #require(files.first { $0.hasSuffix("inventory.img") })
        for (path, mode, usual) in [(image, 0o620, 0o600), (image, 0o602, 0o600), (folder + "/images", 0o770, 0o700)] {
            chmod(path, mode_t(mode))
            try expectRefusal(box, "mode \(String(mode, radix: 8)) of \(path)")
            chmod(path, mode_t(usual))
        }
        for path in [image, folder + "/images", folder] {
            chown(path, Box.user, 0)
            try expectRefusal(box, "another's \(path)")
            chown(path, 0, 0)
        }
        rename(image, box.file("aside"))
        try expectRefusal(box, "missing", "missing")
        symlink(box.file("aside"), image)
        try expectRefusal(box, "a symbolic link")
        unlink(image)
        rename(box.file("aside"), image)
        try Files.write("x", to: folder + "/images/further.img", mode: 0o600)
        try expectRefusal(box, "a further file", "further.img")
        unlink(folder + "/images/further.img")
        truncate(image, 3)
        try expectRefusal(box, "truncated")
    }

    @Test("S32: a name cannot lead out of the store")
    func names() throws {
        let (box, _) = try scene()
        for name in ["../snapshots/s", "s/../s", "/etc", ".", "..", "-s", ""] {
            let refused = try box.sandbox(["restore", "-d", "--", name])
            #expect(!refused.succeeded && refused.errorLines.count <= 2, "\(name): \(refused)")
        }
        try expectRestore(box)
    }
}
