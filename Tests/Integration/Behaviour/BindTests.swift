import Glibc
import Testing

extension Integration {
    /// Bind mounts and their options.
    @Suite("Bind", .needsRoot) struct BindTests {
        let box: Box

        init() throws {
            box = try Box()
            try box.folder("from/below")
            try box.folder("to")
            try box.write("from/file", "content\n")
        }

        /// A profile that binds `from` on `to` with these options.
        func bind(_ options: String...) -> String {
            let list = options.map { "\"\($0)\"" }.joined(separator: ", ")
            return """
                [namespaces]
                unshare = ["mount"]
                [filesystem]
                bind = [{ from = "\(box.path)/from", to = "\(box.path)/to", options = [\(list)] }]
                """
        }

        @Test func plain() throws {
            expectOutput(try box.shell(bind(), [], "cat to/file; echo new > to/new"), "content")
            #expect(Files.read(box.file("from/new")) == "new\n")
        }

        @Test("a file on a file") func file() throws {
            try box.write("from/below/name", "covered\n")
            let option = "\(box.path)/from/file:\(box.path)/from/below/name:ro"
            let outcome = try box.launch(
                "", ["--unshare", "mount", "--bind", option],
                ["sh", "-c", "cat from/below/name; echo x > from/below/name || echo refused"])
            #expect(outcome.lines == ["content", "refused"], "\(outcome)")
            #expect(Files.read(box.file("from/file")) == "content\n")
        }

        @Test("a target that does not exist is made in a layer of the box's own, never in the host's files")
        func missingTarget() throws {
            let option = ["--bind", "\(box.path)/from/file:\(box.path)/to/sub/name"]
            expectRefused(try box.launch("", ["--unshare", "mount"] + option, ["true"]), naming: "to/sub")
            let layers = ["--unshare", "mount", "--tmpfs", box.path + "/to"] + option
            expectOutput(try box.launch("", layers, ["cat", "to/sub/name"]), "content")
            #expect(Files.list(box.file("to")).isEmpty)
        }

        @Test("--bind FROM alone keeps its place") func samePlace() throws {
            let toml = "[namespaces]\nunshare = [\"mount\"]\n[filesystem]\ntmpfs = [{ path = \"\(box.path)\" }]\n"
            let outcome = try box.launch(
                toml, ["--bind", box.path + "/from", "--workdir", "/"],
                ["sh", "-c", "ls \(box.path); cat \(box.path)/from/file"])
            expectOutput(outcome, "from\ncontent")
        }

        @Test func ro() throws {
            let outcome = try box.shell(bind("ro"), [], "touch to/new")
            #expect(outcome.status == 1 && outcome.err.contains("Read-only"), "\(outcome)")
        }

        @Test func noexec() throws {
            try box.must(["cp", "/bin/true", box.path + "/from/true"])
            #expect(try box.shell(bind(), [], "to/true").succeeded)
            let outcome = try box.shell(bind("noexec"), [], "to/true")
            #expect(outcome.status == 126 && outcome.err.contains("ermission"), "\(outcome)")
        }

        @Test func nodev() throws {
            try box.must(["mknod", "-m", "666", box.path + "/from/null", "c", "1", "3"])
            #expect(try box.shell(bind(), [], ": > to/null").succeeded)
            #expect(!(try box.shell(bind("nodev"), [], ": > to/null").succeeded))
        }

        @Test func nosuid() throws {
            try box.must(["cp", "/usr/bin/id", box.path + "/from/id"])
            try box.must(["chmod", "4755", box.path + "/from/id"])
            let lenient = "\n[process]\nuser = \"1\"\ngroup = \"1\"\nno-new-privileges = false\n"
            let keep = "[security.capabilities]\nkeep = [\"SETUID\", \"SETGID\"]\n"
            let plain = try box.shell(bind() + lenient + keep, [], "to/id -u")
            expectOutput(plain, "0")
            expectOutput(try box.shell(bind("nosuid") + lenient + keep, [], "to/id -u"), "1")
        }

        @Test func nosymfollow() throws {
            try Files.makeLink(box.file("from/link"), to: "file")
            #expect(try box.shell(bind(), [], "cat to/link").succeeded)
            #expect(!(try box.shell(bind("nosymfollow"), [], "cat to/link").succeeded))
        }

        @Test("a mount below comes along, unless `bind` says not") func recursive() throws {
            let mounting = "mount -t tmpfs none from/below && touch from/below/inner && exec \"$@\""
            for (options, listing) in [([], "inner"), (["bind"], "")] as [([String], String)] {
                let toml = options.isEmpty ? bind() : bind("bind")
                let words = [box.binary, "run"] + (try box.profile(toml)) + ["--", "ls", "to/below"]
                expectOutput(try box.run(["unshare", "-m", "sh", "-c", mounting, "sh"] + words), listing)
            }
        }

        @Test("ro with a mount below is read-only there too") func recursiveReadOnly() throws {
            let mounting = "mount -t tmpfs none from/below && exec \"$@\""
            let words = [box.binary, "run"] + (try box.profile(bind("ro"))) + ["--", "touch", "to/below/new"]
            let outcome = try box.run(["unshare", "-m", "sh", "-c", mounting, "sh"] + words)
            #expect(outcome.status == 1 && outcome.err.contains("Read-only"), "\(outcome)")
        }

        @Test(
            "rslave lets the host's later mounts in, rprivate does not",
            arguments: [("rslave", true), ("rprivate", false)])
        func propagation(option: String, arrives: Bool) throws {
            let words =
                [box.binary, "run"] + (try box.profile(bind(option))) + [
                    "--", "sh", "-c", "echo up; read line < fifo; ls to/below",
                ]
            let script = """
                mount --bind from from && mount --make-shared from && mkfifo fifo
                "$@" > log & 
                until grep -q up log; do sleep 0.05; done
                mount -t tmpfs none from/below && touch from/below/late && echo > fifo; wait; cat log
                """
            let outcome = try box.run(["unshare", "-m", "sh", "-c", script, "sh"] + words)
            #expect(outcome.succeeded && outcome.lines.contains("late") == arrives, "\(outcome)")
        }

        @Test("optional: a missing source is no error, otherwise it is") func optional() throws {
            let toml = bind("optional").replacing("/from\"", with: "/absent\"")
            expectOutput(try box.shell(toml, [], "ls to"), "")
            expectRefused(try box.shell(bind().replacing("/from\"", with: "/absent\""), [], "true"), naming: "absent")
        }

        @Test("idmap: owners inside are those of the box's user namespace") func idmap() throws {
            try box.must(["chown", "0:0", box.path + "/from/file"])
            let users = """

                [security]
                uid-map = ["0 200000 1000"]
                gid-map = ["0 200000 1000"]
                """
            let unshare = ["--unshare", "user,mount"]
            try box.must(["chmod", "0777", box.path + "/from"])
            let plain = try box.launch(bind() + users, unshare, ["stat", "-c", "%u:%g", "to/file"])
            expectOutput(plain, "65534:65534")
            let mapped = try box.launch(
                bind("idmap") + users, unshare, ["sh", "-c", "stat -c %u:%g to/file; touch to/made"])
            expectOutput(mapped, "0:0")
            var status = stat()
            #expect(stat(box.file("from/made"), &status) == 0 && status.st_uid == 0, "owner outside \(status.st_uid)")
        }

        @Test("an unknown option is refused") func unknown() throws {
            expectRefused(try box.shell(bind("rw-maybe"), [], "true"), naming: "rw-maybe")
            expectRefused(
                try box.launch("", ["--unshare", "mount", "--bind", "/usr:/mnt:bogus"], ["true"]), naming: "bogus")
        }
    }
}
