import Glibc
import Testing

extension Integration {
    /// Another root tree, overlays, /proc.
    @Suite("Root, overlay, proc", .needsRoot) struct RootTests {
        let box: Box
        let root: Rootfs

        init() throws {
            box = try Box()
            root = try Rootfs(in: box)
        }

        func profile(_ lines: String, unshare: String = "\"mount\"") -> String {
            "[namespaces]\nunshare = [\(unshare)]\n[filesystem]\nroot = \"\(root.path)\"\n\(lines)\n"
        }

        @Test("another distribution's tree") func tree() throws {
            expectOutput(
                try box.shell(profile(""), [], "cat /etc/os-release; ls /; cd /; pwd").trimmed(to: 1), "ID=tiny")
            let option = try box.launch(
                "", ["--unshare", "mount", "--root", root.path, "--workdir", "/"], ["cat", "/etc/os-release"])
            expectOutput(option, "ID=tiny")
        }

        @Test("nothing of the old root is left in the mount table") func mounts() throws {
            let toml = profile("private = [\"dev\"]", unshare: "\"mount\", \"pid\"")
            let outcome = try box.launch(toml, ["--workdir", "/"], ["cat", "/proc/self/mountinfo"])
            #expect(outcome.succeeded, "\(outcome)")
            let places = outcome.column(4)
            #expect(places.filter { $0 == "/" }.count == 1, "\(outcome)")
            let known = ["/", "/dev", "/proc", "/sys"]
            #expect(
                places.allSatisfy { place in known.contains { place == $0 || place.hasPrefix($0 + "/") } }, "\(outcome)"
            )
        }

        @Test("the command is looked up in the box, by the box's PATH") func lookup() throws {
            try root.write("/usr/bin/only-here", "#!/bin/sh\necho here\n", mode: 0o755)
            expectOutput(try box.launch(profile(""), ["--workdir", "/"], ["only-here"]), "here")
            let outcome = try box.launch(profile(""), ["--workdir", "/"], ["python3", "-c", "print()"])
            expectRefused(outcome, status: 127, naming: "python3")
        }

        @Test("users and groups are the box's own") func users() throws {
            let toml = profile("") + "[process]\nuser = \"alice\"\nworking-directory = \"/\"\n"
            expectOutput(
                try box.launch(toml, [], ["id"]),
                "uid=1234(alice) gid=2345(users) groups=2345(users),3456(staff),4567(audio)")
            expectRefused(
                try box.launch(toml, ["--user", "daemon"], ["id"]), naming: "daemon")
        }

        @Test("overlay on tmpfs: changes are lost, the tree stays as it is") func overlayTmpfs() throws {
            let toml = profile("overlay = { upper = \"tmpfs\" }") + "[process]\nworking-directory = \"/\"\n"
            let outcome = try box.launch(
                toml, [], ["sh", "-c", "echo new > /etc/os-release; touch /made; rm /bin/ls; cat /etc/os-release"])
            expectOutput(outcome, "new")
            #expect(Files.read(root.path + "/etc/os-release") == "ID=tiny\n" && !Files.exists(root.path + "/made"))
            #expect(Files.exists(root.path + "/bin/ls"))
        }

        @Test("overlay on a folder: changes are kept there") func overlayDirectory() throws {
            let upper = try box.folder("changes")
            let toml = profile("overlay = { upper = \"\(upper)\" }") + "[process]\nworking-directory = \"/\"\n"
            #expect(try box.launch(toml, [], ["sh", "-c", "echo kept > /kept; rm /etc/os-release"]).succeeded)
            let second = try box.launch(toml, [], ["sh", "-c", "cat /kept; ls /etc"])
            #expect(
                second.succeeded && second.lines.first == "kept" && !second.lines.contains("os-release"), "\(second)")
            #expect(!Files.exists(root.path + "/kept") && Files.exists(root.path + "/etc/os-release"))
        }

        @Test("overlay over the host's own root") func overlayHost() throws {
            let toml = """
                [namespaces]
                unshare = ["mount"]
                [filesystem]
                overlay = { upper = "tmpfs", size = "32M" }
                """
            let name = "/etc/\(box.mark)"
            let outcome = try box.shell(toml, [], "echo x > \(name) && cat \(name)")
            expectOutput(outcome, "x")
            #expect(!Files.exists(name))
            let full = try box.shell(toml, [], "head -c 64M /dev/zero > \(name)")
            #expect(full.status == 1 && full.err.contains("No space left"), "\(full)")
        }

        @Test("a tree that is none is refused") func badRoot() throws {
            let file = try box.write("plain", "")
            for path in ["/no/such/root", file] {
                expectRefused(try box.launch("", ["--unshare", "mount", "--root", path], ["true"]), naming: path)
            }
        }

        static let ownPIDs = "\"mount\", \"pid\""

        @Test("a fresh /proc shows the box's processes alone") func freshProc() throws {
            let outcome = try box.launch(
                profile("", unshare: Self.ownPIDs), ["--workdir", "/"], ["sh", "-c", "ls /proc | grep -c '^[0-9]'"])
            #expect(outcome.succeeded && (Int(outcome.text) ?? 99) <= 5, "\(outcome)")
        }

        @Test("the usual paths of a fresh /proc are masked or read-only") func maskedProc() throws {
            let toml = profile("", unshare: Self.ownPIDs)
            let outcome = try box.launch(
                toml, ["--workdir", "/"],
                [
                    "sh", "-c",
                    "cat /proc/kcore | head -c 1 | wc -c; cat /proc/keys | wc -c; echo 1 > /proc/sys/vm/drop_caches; echo h > /proc/sysrq-trigger; true",
                ])
            #expect(outcome.lines == ["0", "0"], "\(outcome)")
            #expect(
                outcome.errorLines.filter { $0.contains("ead-only") || $0.contains("ermission") }.count >= 2,
                "\(outcome)")
        }

        @Test("masked-paths and readonly-paths of one's own") func chosenMasks() throws {
            let toml = profile(
                "masked-paths = [\"/proc/version\"]\nreadonly-paths = [\"/proc/sys/kernel\"]", unshare: Self.ownPIDs)
            let outcome = try box.launch(
                toml, ["--workdir", "/"],
                [
                    "sh", "-c",
                    "cat /proc/version; wc -c < /proc/keys; echo x > /proc/sys/kernel/domainname || echo refused",
                ])
            #expect(
                outcome.lines.count == 2 && outcome.lines.first != "0" && outcome.lines.last == "refused", "\(outcome)")
        }

        @Test("proc = none, proc = host") func procKinds() throws {
            expectOutput(
                try box.launch(
                    profile("proc = \"none\"", unshare: Self.ownPIDs), ["--workdir", "/"], ["ls", "/proc"]), "")
            let toml = "[namespaces]\nunshare = [\(Self.ownPIDs)]\n[filesystem]\nproc = \"host\"\n"
            let outcome = try box.shell(toml, [], "test -d /proc/\(getpid()) && echo seen")
            expectOutput(outcome, "seen")
            expectOutput(
                try box.shell(
                    "[namespaces]\nunshare = [\(Self.ownPIDs)]\n", [], "test -d /proc/\(getpid()) || echo unseen"),
                "unseen")
        }
    }
}

extension Outcome {
    /// The first lines of standard output only.
    func trimmed(to count: Int) -> Outcome {
        var result = self
        result.out = lines.prefix(count).joined(separator: "\n")
        return result
    }
}
