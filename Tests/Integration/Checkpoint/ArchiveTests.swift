import Glibc
import Testing

@Suite("Snapshots as files", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct SnapshotArchiveTests {
    private static let counter = "n=0; while :; do n=$((n+1)); echo $n; sleep 0.05; done"

    @Test("an exported snapshot is imported into another store, and goes on there")
    func carried() throws {
        let (box, other) = (try Box(), try Box())
        let begun = try box.launch("", ["-d", "-n", "count"] + WarmServer.options, ["/bin/sh", "-c", Self.counter])
        #expect(begun.succeeded, "\(begun)")
        func lines(_ box: Box) -> [Int] {
            let text = Files.read(box.file("state/sandboxes/count/log")) ?? ""
            return text.split(separator: "\n").compactMap { Int($0) }
        }
        #expect(Clock.waitUntil { lines(box).count > 3 })
        let saved = try box.sandbox(["checkpoint", "count", "--snapshot", "warm"])
        #expect(saved.succeeded, "\(saved)")
        let count = lines(box).count
        let file = box.file("warm.tar.zst")
        let exported = try box.sandbox(["snapshot", "export", "count", "-o", file])
        #expect(exported.succeeded && exported.out.isEmpty, "\(exported)")
        let again = try box.sandbox(["snapshot", "export", "warm", "-o", file])
        #expect(again.status == 125 && again.err.contains("there is a file"), "\(again)")
        let imported = try other.sandbox(["snapshot", "import", file])
        #expect(imported.succeeded && imported.text == "warm", "\(imported)")
        let restored = try other.sandbox(["restore", "warm", "-d"])
        #expect(restored.succeeded, "\(restored)")
        #expect(Clock.waitUntil { lines(other).count > count + 3 })
        #expect(lines(other) == Array(1...lines(other).count))
        // Through a pipe too.
        #expect(try other.sandbox(["snapshot", "delete", "warm"]).succeeded)
        let piped = try other.run(
            [
                "/bin/sh", "-c",
                "SANDBOX_STATE=\(box.path)/state \(box.binary) snapshot export warm -o - | \(other.binary) snapshot import -",
            ])
        #expect(piped.succeeded && piped.text == "warm", "\(piped)")
        #expect(try other.sandbox(["snapshot", "verify", "warm"]).succeeded)
        #expect(try other.sandbox(["rm", "-f", "count"]).succeeded)
        #expect(try box.sandbox(["rm", "-f", "count"]).succeeded)
    }

    @Test("what is no archive is refused in one line, and leaves nothing")
    func refused() throws {
        let box = try Box()
        let file = try box.write("junk", "no archive")
        for words in [[file], [box.file("missing")], [box.path]] {
            let taken = try box.sandbox(["snapshot", "import"] + words)
            #expect(taken.status == 125 && taken.err.split(separator: "\n").count == 1, "\(taken)")
        }
        #expect(Files.list(box.file("state/snapshots")).isEmpty)
    }
}
