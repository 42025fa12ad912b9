import Glibc
import Testing

extension Integration {
    /// Each key of [filesystem] on the host's own root.
    @Suite("Filesystem", .needsRoot) struct FilesystemTests {
        let box: Box

        init() throws {
            box = try Box()
            try box.folder("tree/below")
            try box.write("tree/file", "original\n")
        }

        /// A profile with a mount namespace and these lines in [filesystem].
        func profile(_ lines: String) -> String { "[namespaces]\nunshare = [\"mount\"]\n[filesystem]\n\(lines)\n" }

        @Test("read-only") func readOnly() throws {
            let toml = profile("read-only = [\"\(box.path)/tree\"]")
            let outcome = try box.shell(toml, [], "cat tree/file; touch tree/new || touch outside")
            #expect(outcome.succeeded && outcome.text == "original", "\(outcome)")
            #expect(outcome.err.contains("Read-only file system"), "\(outcome)")
            #expect(Files.exists(box.file("outside")) && !Files.exists(box.file("tree/new")))
        }

        @Test("read-only reaches what is mounted below") func readOnlyRecursive() throws {
            let toml = profile("read-only = [\"\(box.path)/tree\"]")
            let script = "mount -t tmpfs none tree/below && exec \"$@\""
            let words = [box.binary, "run"] + (try box.profile(toml)) + ["--", "touch", "tree/below/new"]
            let outcome = try box.run(["unshare", "-m", "sh", "-c", script, "sh"] + words)
            #expect(outcome.status == 1 && outcome.err.contains("Read-only file system"), "\(outcome)")
            let control = try box.run(["unshare", "-m", "sh", "-c", script, "sh", "touch", "tree/below/new"])
            #expect(control.succeeded, "control: \(control)")
        }

        @Test("the whole host read-only, with a writable exception") func readOnlyRoot() throws {
            let toml = profile("read-only = [\"/\"]\nwritable = [\"\(box.path)/tree\"]")
            let outcome = try box.shell(toml, [], "touch tree/new; touch denied; touch /etc/denied-\(box.mark); true")
            #expect(outcome.succeeded, "\(outcome)")
            #expect(Files.exists(box.file("tree/new")) && !Files.exists(box.file("denied")))
            #expect(!Files.exists("/etc/denied-\(box.mark)"))
        }

        @Test("hide: a file, a folder, and what does not exist") func hide() throws {
            try box.write("tree/below/secret", "secret\n")
            let toml = profile(
                "hide = [\"\(box.path)/tree/file\", \"\(box.path)/tree/below\", \"\(box.path)/missing\"]")
            let outcome = try box.shell(toml, [], "cat tree/file; ls -A tree/below; cat tree/below/secret; ls missing")
            #expect(!outcome.out.contains("original") && !outcome.out.contains("secret"), "\(outcome)")
            #expect(outcome.err.contains("missing"), "\(outcome)")
            #expect(!Files.exists(box.file("missing")))
            let write = try box.shell(toml, [], "echo changed > tree/file; echo x > tree/below/new; true")
            #expect(write.succeeded && Files.read(box.file("tree/file")) == "original\n", "\(write)")
            #expect(Files.list(box.file("tree/below")) == ["secret"])
        }

        @Test("hide wins over bind and writable") func hideWins() throws {
            let toml = profile(
                """
                hide = ["\(box.path)/tree/file"]
                writable = ["\(box.path)/tree"]
                bind = [{ from = "\(box.path)/tree/file", to = "\(box.path)/tree/file" }]
                """)
            let outcome = try box.shell(toml, [], "cat tree/file")
            #expect(!outcome.out.contains("original"), "\(outcome)")
        }

        @Test("private tmp") func privateTmp() throws {
            let toml = profile("private = [\"tmp\"]")
            let outcome = try box.launch(
                toml, ["--workdir", "/"],
                [
                    "sh", "-c",
                    "ls -A /tmp /var/tmp; touch /tmp/\(box.mark) /var/tmp/\(box.mark); stat -c %a:%u:%g /tmp /var/tmp",
                ])
            let listing = ["/tmp:", "", "/var/tmp:", "1777:0:0", "1777:0:0"]
            #expect(outcome.succeeded && outcome.lines == listing, "\(outcome)")
            #expect(!Files.exists("/tmp/\(box.mark)") && !Files.exists("/var/tmp/\(box.mark)"))
        }

        @Test("private home") func privateHome() throws {
            try box.write("home/letter", "dear\n")
            let toml = profile("private = [\"home\"]")
            let outcome = try box.launch(
                toml, ["--workdir", "/"], ["sh", "-c", "ls -A /root /home; ls -A ~; touch ~/new"])
            #expect(outcome.succeeded && !outcome.out.contains("letter"), "\(outcome)")
            #expect(!Files.exists(box.file("home/new")))
        }

        @Test("private dev: the usual nodes, a devpts of its own, nothing else") func privateDev() throws {
            let toml = profile("private = [\"dev\"]")
            let outcome = try box.shell(toml, [], "ls /dev; ls /dev/pts; head -c 4 /dev/zero | wc -c; : > /dev/null")
            #expect(outcome.succeeded, "\(outcome)")
            let names = Set(outcome.lines)
            let usual = [
                "null", "zero", "full", "random", "urandom", "tty", "pts", "ptmx", "shm", "fd", "stdin", "stdout",
            ]
            #expect(names.isSuperset(of: usual), "\(outcome)")
            #expect(names.isDisjoint(with: ["mem", "kmsg", "vda", "sda", "kvm", "net"]), "\(outcome)")
            let pty = "import os; m, s = os.openpty(); print(os.ttyname(s))"
            expectOutput(try box.launch(toml, [], ["python3", "-c", pty]), "/dev/pts/0")
            let shm = try box.shell(toml, [], "stat -f -c %T /dev/shm; stat -c %a /dev/shm; ls -A /dev/shm")
            #expect(shm.lines.prefix(2) == ["tmpfs", "1777"] && shm.lines.count == 2, "\(shm)")
        }

        @Test("private run") func privateRun() throws {
            let outcome = try box.shell(profile("private = [\"run\"]"), [], "ls -A /run; touch /run/\(box.mark)")
            #expect(outcome.succeeded && outcome.out.isEmpty, "\(outcome)")
            #expect(!Files.exists("/run/\(box.mark)"))
        }

        @Test("tmpfs: size and mode") func tmpfs() throws {
            let toml = profile(
                "tmpfs = [{ path = \"\(box.path)/tree/below\", size = \"2M\", mode = \"0711\" }]")
            let outcome = try box.shell(
                toml, [],
                "stat -c %a tree/below; head -c 1M /dev/zero > tree/below/a && head -c 4M /dev/zero > tree/below/b")
            #expect(outcome.status == 1 && outcome.lines.first == "711", "\(outcome)")
            #expect(outcome.err.contains("No space left"), "\(outcome)")
            #expect(Files.list(box.file("tree/below")).isEmpty)
            let option = try box.launch(
                "", ["--unshare", "mount", "--tmpfs", box.path + "/tree"], ["ls", "-A", "tree"])
            expectOutput(option, "")
        }

        @Test("files and symbolic links") func files() throws {
            let toml = profile(
                """
                files = [{ path = "\(box.path)/tree/file", content = "changed\\n" },
                         { path = "\(box.path)/tree/below/made", content = "made\\n", mode = "0600" }]
                tmpfs = [{ path = "\(box.path)/tree/below" }]
                symlinks = [{ path = "\(box.path)/tree/below/link", target = "made" }]
                """)
            let outcome = try box.shell(
                toml, [],
                "cat tree/file tree/below/made tree/below/link; stat -c %a tree/below/made; readlink tree/below/link")
            expectOutput(outcome, "changed\nmade\nmade\n600\nmade")
            #expect(Files.read(box.file("tree/file")) == "original\n")
            #expect(Files.list(box.file("tree/below")).isEmpty)
        }

        @Test("globs, ~ and $XDG variables") func expansion() throws {
            for name in ["one.key", "two.key", "three.txt"] { try box.write("home/" + name, name) }
            try box.folder("home/.config/app")
            try box.write("home/.config/app/token", "token")
            let toml = profile("hide = [\"~/*.key\", \"$XDG_CONFIG_HOME/app\"]")
            let outcome = try box.shell(toml, [], "cat ~/one.key ~/two.key ~/three.txt ~/.config/app/token")
            #expect(outcome.out == "three.txt", "\(outcome)")
            let elsewhere = try box.folder("elsewhere/app")
            try box.write("elsewhere/app/token", "token")
            let moved = try box.launch(
                toml, [], ["cat", elsewhere + "/token"], environment: ["XDG_CONFIG_HOME": box.file("elsewhere")])
            #expect(!moved.out.contains("token"), "\(moved)")
        }

        @Test("mount propagation: nothing of the box's reaches the host") func propagation() throws {
            // Switches of tests that run at the same time are kept by mounts of theirs.
            func mounts() -> [Substring]? {
                Files.read("/proc/self/mountinfo")?.split(separator: "\n").filter { !$0.contains(" nsfs ") }
            }
            let before = mounts()
            let toml = profile("private = [\"tmp\"]\nread-only = [\"/usr\"]")
            #expect(try box.shell(toml, [], "mount -t tmpfs none /mnt; true").succeeded)
            #expect(mounts() == before)
        }

        @Test(
            "a path that must exist and does not is refused",
            arguments: ["read-only = [\"/no/such/path\"]", "bind = [{ from = \"/no/such/path\", to = \"/mnt\" }]"])
        func missing(line: String) throws {
            expectRefused(try box.shell(profile(line), [], "true"), naming: "/no/such/path")
        }

        @Test("filesystem keys without a mount namespace are refused, lest the host's own mounts change")
        func withoutNamespace() throws {
            expectRefused(try box.launch("[filesystem]\nhide = [\"/root\"]\n", [], ["true"]), naming: "mount")
        }
    }
}
