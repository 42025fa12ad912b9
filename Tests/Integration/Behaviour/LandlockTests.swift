import Glibc
import Testing

extension Integration {
    /// The kernel's own rules over files, ports and scopes, landlock(7).
    @Suite("Landlock", .needsLandlock(1)) struct LandlockTests {
        let box: Box

        init() throws {
            box = try Box()
            try box.folder("tree")
            try box.write("tree/file", "original\n")
        }

        /// The folders without which nothing starts.
        static let system = "\"/usr\", \"/lib\", \"/lib64\", \"/bin\", \"/etc\", \"/proc\", \"/opt\""

        func profile(readOnly: String = system, writable: String = "\"/dev\"", landlock: Bool = true) -> String {
            """
            [filesystem]
            landlock = \(landlock)
            read-only = [\(readOnly)]
            writable = [\(writable)]
            [namespaces]
            unshare = ["mount"]

            """
        }

        @Test("the same rules as the mounts', so that a mount more changes nothing", .needsRoot) func files() throws {
            let toml = profile(readOnly: Self.system + ", \"\(box.path)/tree\"")
            let script =
                "mount -o remount,bind,rw \(box.path)/tree 2>/dev/null; cat tree/file; echo x > tree/file || echo refused"
            let outcome = try box.shell(toml, [], script)
            #expect(outcome.lines == ["original", "refused"], "\(outcome)")
            #expect(Files.read(box.file("tree/file")) == "original\n")
            let control = try box.shell(
                profile(readOnly: "\"\(box.path)/tree\"", writable: "\"/\"", landlock: false), [], script)
            #expect(Files.read(box.file("tree/file")) == "x\n", "control: \(control)")
        }

        @Test("without a mount namespace the kernel's rules are the only ones") func alone() throws {
            let toml = """
                [filesystem]
                landlock = true
                read-only = ["\(box.path)"]
                writable = ["\(box.path)/tree/below"]
                hide = ["\(box.path)/tree/hidden"]
                """
            for name in ["below", "hidden"] { try box.folder("tree/" + name) }
            try box.write("tree/hidden/secret", "secret\n")
            let script = """
                cat tree/file; cat tree/hidden/secret; echo x > tree/new; mv tree/file tree/moved; rm tree/file
                echo x > tree/below/new && echo end
                """
            let outcome = try box.shell(toml, [], script)
            #expect(outcome.succeeded && outcome.lines == ["original", "end"], "\(outcome)")
            #expect(Files.list(box.file("tree")) == ["below", "file", "hidden"])
            #expect(Files.list(box.file("tree/below")) == ["new"])
            let control = try box.shell("", [], "cat tree/hidden/secret; echo x > tree/new")
            #expect(control.text == "secret" && Files.exists(box.file("tree/new")), "control: \(control)")
        }

        @Test("TCP ports", .needsLandlock(4), .needsRoot) func ports() throws {
            let toml = """
                [namespaces]
                unshare = ["net"]
                [security.landlock]
                tcp-bind = [8080]
                tcp-connect = [9090]
                """
            func ask(_ what: String, _ port: Int) throws -> String {
                try box.launch(toml, [], [Payload.probe(), what, "\(port)"]).text
            }
            #expect(try ask("bind", 8080) == "bind ok")
            #expect(try ask("bind", 8081) == "bind EACCES")
            #expect(try ask("connect", 9090) == "connect ECONNREFUSED")
            #expect(try ask("connect", 9091) == "connect EACCES")
        }

        @Test("signals do not leave the box", .needsLandlock(6)) func signals() throws {
            let toml = "[security.landlock]\nscope = [\"signal\"]\n"
            let child = try box.start(["sleep", "100"])
            defer { child.end() }
            let outcome = try box.launch(toml, [], [Payload.probe(), "kill", "\(child.pid)"])
            #expect(outcome.text == "kill EPERM", "\(outcome)")
            let control = try box.launch("", [], [Payload.probe(), "kill", "\(child.pid)"])
            #expect(control.text == "kill ok", "control: \(control)")
        }

        @Test("a scope that does not exist is refused") func unknown() throws {
            expectRefused(try box.launch("[security.landlock]\nscope = [\"moon\"]\n", [], ["true"]), naming: "moon")
        }
    }
}
