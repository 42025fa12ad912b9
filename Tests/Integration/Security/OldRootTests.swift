import Glibc
import Testing

extension Integration {
    /// Nothing of the old root is left below a new one: on top of the new root it would be reached by "/..".
    @Suite("Security: the old root", .needsRoot) struct OldRootTests {
        private static let overlay = "[filesystem]\noverlay = { upper = \"tmpfs\" }\n"

        @Test("with an overlay \"/..\" is the box's root, and what is written there stays in the box")
        func overlay() throws {
            let box = try Box()
            let mark = box.file("escaped")
            let toml = "[namespaces]\nunshare = [\"mount\", \"pid\"]\n" + Self.overlay
            let script = """
                cd /..; echo inside > ..\(mark) && cat \(mark)
                awk '$5 == "/"' /proc/self/mountinfo | wc -l; stat -c %i / /..
                """
            let outcome = try box.shell(toml, [], script)
            #expect(outcome.succeeded, "\(outcome)")
            #expect(outcome.lines.prefix(2) == ["inside", "1"], "\(outcome)")
            #expect(outcome.lines.count == 4 && outcome.lines[2] == outcome.lines[3], "\(outcome)")
            #expect(!Files.exists(mark))
        }

        @Test("another root tree has no other mount on its root")
        func tree() throws {
            let box = try Box()
            let root = try Rootfs(in: box).path
            for options in [[], ["--set", "filesystem.overlay={ upper = \"tmpfs\" }"]] {
                let outcome = try box.shell(
                    "", ["--unshare", "mount,pid", "--root", root] + options,
                    "cd /..; cat ../etc/os-release; ls ..\(box.path); grep -c '^[0-9]* [0-9]* [0-9:]* [^ ]* / ' /proc/self/mountinfo"
                )
                #expect(outcome.lines.first == "ID=tiny" && outcome.lines.count == 2, "\(outcome)")
                #expect(outcome.lines.last == "1", "\(outcome)")
            }
        }
    }
}
