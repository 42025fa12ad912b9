import Glibc
import Testing

extension Integration {
    /// Joining namespaces that exist. Named network namespaces are the machine's, hence one at a time.
    @Suite("Joining namespaces", .needsRoot, .serialized) struct JoinTests {
        let box: Box

        init() throws { box = try Box() }

        func identity(_ path: String) -> String? {
            var status = stat()
            return stat(path, &status) == 0 ? "[\(status.st_ino)]" : nil
        }

        /// A process in new namespaces, by unshare(1).
        func holder(_ flags: [String]) throws -> Child {
            let child = try box.start(["unshare"] + flags + ["sh", "-c", "echo up; exec sleep 100"], name: "holder")
            try #require(box.waitForOutput("up", name: "holder"))
            return child
        }

        @Test("a named network namespace") func byName() throws {
            let name = box.mark
            try box.must(["ip", "netns", "add", name])
            defer { _ = try? box.run(["ip", "netns", "delete", name]) }
            let joined = try box.launch("", ["--join", "net=/run/netns/\(name)"], ["readlink", "/proc/self/ns/net"])
            #expect(joined.succeeded && joined.text == "net:\(identity("/run/netns/\(name)") ?? "")", "\(joined)")
            let toml = "[namespaces]\njoin = { net = \"/run/netns/\(name)\" }\n"
            expectOutput(try box.launch(toml, [], ["readlink", "/proc/self/ns/net"]), joined.text)
        }

        @Test("several at once, and new ones beside them") func several() throws {
            let child = try holder(["-n", "-u", "-i", "-m"])
            defer { child.end() }
            let kinds = [("net", "net"), ("uts", "uts"), ("ipc", "ipc"), ("mount", "mnt")]
            let options = kinds.flatMap { ["--join", "\($0)=/proc/\(child.pid)/ns/\($1)"] } + ["--unshare", "cgroup"]
            let links = kinds.map { "/proc/self/ns/" + $0.1 } + ["/proc/self/ns/cgroup"]
            let outcome = try box.launch("", options, ["readlink"] + links)
            #expect(outcome.succeeded, "\(outcome)")
            for (kind, line) in zip(kinds, outcome.lines) {
                #expect(line == Processes.namespace(kind.1, of: "\(child.pid)"), "\(kind)")
            }
            #expect(outcome.lines.last != Processes.namespace("cgroup"))
        }

        @Test("a pid namespace: the command is a process of it") func pid() throws {
            let child = try box.start(
                ["unshare", "-p", "-m", "--fork", "--mount-proc", "sh", "-c", "echo up; exec sleep 100"],
                name: "holder")
            try #require(box.waitForOutput("up", name: "holder"))
            defer { child.end() }
            let inner = try #require(Processes.children(of: child.pid).first)
            let options = ["--join", "pid=/proc/\(inner)/ns/pid", "--join", "mount=/proc/\(inner)/ns/mnt"]
            let outcome = try box.launch(
                "", options, ["sh", "-c", "readlink /proc/self/ns/pid; cat /proc/1/comm; exit 9"])
            #expect(outcome.status == 9, "\(outcome)")
            #expect(outcome.lines == [Processes.namespace("pid", of: "\(inner)") ?? "", "sleep"], "\(outcome)")
        }

        @Test("a user namespace, and the capabilities in it") func user() throws {
            let child = try holder(["-U", "-r", "-n"])
            defer { child.end() }
            let options = ["--join", "user=/proc/\(child.pid)/ns/user", "--join", "net=/proc/\(child.pid)/ns/net"]
            let outcome = try box.launch("", options, ["readlink", "/proc/self/ns/user", "/proc/self/ns/net"])
            let expected = ["user", "net"].map { Processes.namespace($0, of: "\(child.pid)") ?? "" }
            #expect(outcome.succeeded && outcome.lines == expected, "\(outcome)")
        }

        @Test("a time namespace") func time() throws {
            let child = try box.start(
                ["unshare", "-T", "--monotonic", "777000", "sh", "-c", "echo up; exec sleep 100"], name: "holder")
            try #require(box.waitForOutput("up", name: "holder"))
            defer { child.end() }
            let outcome = try box.launch(
                "", ["--join", "time=/proc/\(child.pid)/ns/time"], ["readlink", "/proc/self/ns/time"])
            #expect(outcome.text == Processes.namespace("time", of: "\(child.pid)"), "\(outcome)")
        }

        @Test("another box, by its name") func named() throws {
            let child = try box.startSandbox(
                "", ["-n", "first", "--unshare", "net,uts", "--hostname", "of-first"],
                ["sh", "-c", "echo up; exec sleep 100"])
            try #require(box.waitForOutput("up"), "\(Files.read(box.file("started.err")) ?? "")")
            let outcome = try box.launch(
                "", ["--join", "net=sandbox:first", "--join", "uts=sandbox:first"],
                ["sh", "-c", "readlink /proc/self/ns/net; uname -n"])
            expectOutput(outcome, (Processes.namespace("net", of: "\(child.pid)") ?? "") + "\nof-first")
            child.end()
            expectRefused(try box.launch("", ["--join", "net=sandbox:first"], ["true"]), naming: "first")
        }

        @Test(
            "what cannot be joined is refused in one line",
            arguments: [
                "net=/nonexistent", "net=/etc/passwd", "net=/proc/self/ns/uts", "nest=/proc/self/ns/net", "net",
                "net=sandbox:no-such-box",
            ])
        func refused(spec: String) throws {
            let marker = box.file("started")
            expectRefused(try box.launch("", ["--join", spec], ["touch", marker]))
            #expect(!Files.exists(marker))
        }

        @Test("joining and unsharing the same kind is a contradiction") func contradiction() throws {
            expectRefused(
                try box.launch("", ["--join", "net=/proc/self/ns/net", "--unshare", "net"], ["true"]), naming: "net")
        }
    }
}
