import Glibc
import Testing

extension Integration {
    /// Launches by a user without privileges.
    @Suite("Without root", .needsUserNamespaces) struct RootlessTests {
        let box: Box

        init() throws { box = try Box(as: Box.user) }

        @Test("nothing isolated needs nothing") func plain() throws {
            #expect(try box.launch("", [], ["true"]).succeeded)
        }

        @Test("one's own id, mapped to itself") func ownID() throws {
            let own = box.uid ?? getuid()
            expectOutput(try box.shell("", ["--unshare", "user"], "id -u"), "\(own)")
            expectOutput(
                try box.shell("", ["--unshare", "user"], "tr -s ' ' < /proc/self/uid_map; cat /proc/self/setgroups"),
                " \(own) \(own) 1\ndeny")
        }

        @Test("one's own id as root in the box") func asRoot() throws {
            let toml = """
                [namespaces]
                unshare = ["user", "mount", "pid", "net", "uts", "ipc"]
                [process]
                hostname = "mine"
                [security]
                uid-map = ["0 \(box.uid ?? getuid()) 1"]
                gid-map = ["0 \(box.uid ?? getgid()) 1"]
                """
            expectOutput(
                try box.shell(toml, [], "id -u; uname -n; cut -d: -f1 /proc/net/dev | tail -n +3; echo $$"),
                "0\nmine\n    lo\n2")
        }

        @Test("all namespaces, a filesystem, a filter") func everything() throws {
            try box.folder("tree")
            try box.write("tree/file", "original")
            let toml = """
                [namespaces]
                unshare = ["user", "mount", "pid", "net", "ipc", "uts", "cgroup", "time"]
                [filesystem]
                read-only = ["/"]
                private = ["tmp", "dev", "run"]
                writable = ["\(box.path)/tree"]
                hide = ["/etc/hostname"]
                [security.seccomp]
                deny = ["@mount", "@keyring"]
                """
            let script = """
                ls -A \(box.path); cat /etc/hostname; echo x > \(box.path)/tree/new
                touch /etc/new || ls /proc | grep -c '^[0-9]'
                """
            let outcome = try box.shell(toml, ["--workdir", "/"], script)
            #expect(outcome.succeeded && outcome.lines.count == 2 && outcome.lines.first == "tree", "\(outcome)")
            #expect(Files.read(box.file("tree/new")) == "x\n")
        }

        @Test("another root tree") func rootfs() throws {
            let root = try Rootfs(in: box)
            let toml = """
                [namespaces]
                unshare = ["user", "mount", "pid"]
                [filesystem]
                root = "\(root.path)"
                private = ["dev", "tmp"]
                [process]
                working-directory = "/"
                """
            expectOutput(try box.shell(toml, [], "cat /etc/os-release; echo $$; : > /dev/null"), "ID=tiny\n2")
        }

        @Test("an overlay without root") func overlay() throws {
            let root = try Rootfs(in: box)
            let upper = try box.folder("changes")
            for place in ["tmpfs", upper] {
                let toml = """
                    [namespaces]
                    unshare = ["user", "mount"]
                    [filesystem]
                    root = "\(root.path)"
                    overlay = { upper = "\(place)" }
                    [process]
                    working-directory = "/"
                    """
                expectOutput(try box.shell(toml, [], "echo new > /tmp/made; cat /tmp/made"), "new")
                #expect(!Files.exists(root.path + "/tmp/made"))
            }
        }

        @Test("a range of ids through newuidmap", .needsRoot, .needsProgram("newuidmap")) func ranges() throws {
            let toml = """
                [namespaces]
                unshare = ["user"]
                [process]
                user = "0"
                group = "0"
                [security]
                uid-map = "auto"
                """
            let outcome = try box.withRange(
                [box.binary, "run"] + (try box.profile(toml)) + [
                    "--", "sh", "-c", "id -u; tr -s ' ' < /proc/self/uid_map; tr -s ' ' < /proc/self/gid_map",
                ])
            #expect(outcome.succeeded && outcome.lines.first == "0", "\(outcome)")
            #expect(outcome.out.contains("300000"), "\(outcome)")
        }

        @Test("ranges that nobody granted are refused, with the mend") func noRange() throws {
            let toml = "[namespaces]\nunshare = [\"user\"]\n[security]\nuid-map = \"auto\"\n"
            expectRefused(try box.launch(toml, [], ["true"]), naming: "/etc/subuid")
        }

        @Test("a user namespace comes with the others", arguments: ["net", "mount", "pid", "uts", "ipc"])
        func impliesUser(kind: String) throws {
            let entry = kind == "mount" ? "mnt" : kind
            let outcome = try box.launch(
                "", ["--unshare", kind], ["readlink", "/proc/self/ns/\(entry)", "/proc/self/ns/user"])
            #expect(outcome.succeeded && outcome.lines.count == 2, "\(outcome)")
            #expect(
                outcome.lines.first != Processes.namespace(entry) && outcome.lines.last != Processes.namespace("user"))
        }

        @Test("what a user cannot have says what to do") func beyond() throws {
            let negative = try box.launch("[process]\nnice = -5\n", ["--unshare", "user"], ["true"])
            expectRefused(negative, naming: "process.nice")
            let foreign = try box.launch("[security]\nuid-map = [\"0 0 1\"]\n", ["--unshare", "user"], ["true"])
            expectRefused(foreign, naming: "uid-map")
        }

        @Test("nothing of the caller's privileges is left in the box") func privileges() throws {
            let outcome = try box.launch("", ["--unshare", "user,mount"], ["cat", "/proc/self/status"])
            let status = Status(outcome.out)
            for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                #expect(status.set(name) == 0, "\(name) \(outcome)")
            }
            #expect(status["NoNewPrivs"] == "1")
        }

        @Test("exit status and signals as with root") func status() throws {
            for options in [["--unshare", "user"], ["--unshare", "user,pid,mount"]] {
                #expect(try box.shell("", options, "exit 9").ending == .exited(9))
                #expect(try box.shell("", options, "kill -TERM $$; sleep 5").status == 143)
            }
        }
    }
}
