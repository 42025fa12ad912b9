import Glibc
import Testing

extension Integration {
    /// Shipped profiles' boxes, entered by who launched them.
    @Suite("Entering boxes of the shipped profiles") struct ExecProfileTests {
        private func with(
            _ it: ProfileBox, _ profile: String, _ options: [String], _ command: [String],
            _ body: (RunningSandbox) throws -> Void
        ) throws {
            let words =
                ["run", "-d", "-n", "first", "-p", profile] + options + (command.isEmpty ? [] : ["--"] + command)
            let outcome = try it.box.sandbox(words, environment: it.environment, directory: it.place + "/project")
            try #require(outcome.succeeded, "\(outcome)")
            let first = try RunningSandbox(joining: "first", of: it.box)
            defer { first.end() }
            try body(first)
        }

        @Test(
            "web-server: asked from within, where nobody else can", .needsRoot, .needsProgram("nginx"),
            .needsProgram("curl"))
        func webServer() throws {
            let it = try ProfileBox(.root)
            try it.write("project/index.html", "our page")
            try with(it, "web-server", ["--bind", "\(it.place)/project:/var/www/html:ro"], []) { first in
                let curl = [
                    "curl", "-sS", "--max-time", "10", "--retry", "40", "--retry-delay", "0", "--retry-connrefused",
                ]
                expectOutput(try first.exec([], curl + ["http://127.0.0.1/"]), "our page")
                expectOutput(try first.exec([], ["nginx", "-s", "reload"]), "")
                #expect(
                    try first.exec([], ["cat", it.place + "/home/notes"]).status != 0, "the home is hidden from it too")
            }
        }

        @Test(
            "python: a second one sees the same files and no network", .needsProgram("python3"), arguments: Caller.all)
        func python(caller: Caller) throws {
            let it = try ProfileBox(caller)
            try it.write("project/data.txt", "42")
            let script = "import time; open('/tmp/made', 'w').write('here'); print('up', flush=True); time.sleep(1000)"
            try with(it, "python", [], ["python3", "-c", script]) { first in
                try #require(Clock.waitUntil { first.log.contains("up") }, "\(first.log)")
                let second = """
                    import os, socket
                    print(open('data.txt').read(), open('/tmp/made').read(), os.environ.get('PROFILE_TEST_TOKEN'))
                    print([name for _, name in socket.if_nameindex()])
                    try: open('data.txt', 'w')
                    except OSError as error: print(error.strerror)
                    """
                expectOutput(
                    try first.exec([], ["python3", "-c", second]), "42 here None\n['lo']\nRead-only file system")
            }
        }

        @Test("untrusted: the same lines of /proc/self/status", arguments: Caller.all) func untrusted(caller: Caller)
            throws
        {
            let it = try ProfileBox(caller)
            let command = ["sh", "-c", "grep -E '^(Uid|Gid|Cap|NoNew|Secc)' /proc/self/status; sleep 1000"]
            try with(it, "untrusted", [], command) { first in
                try #require(Clock.waitUntil { first.log.contains("Seccomp_filters") }, "\(first.log)")
                let outcome = try first.exec([], ["grep", "-E", "^(Uid|Gid|Cap|NoNew|Secc)", "/proc/self/status"])
                #expect(outcome.out == first.log, "\(outcome)")
                #expect(outcome.out.contains("Seccomp:\t2") && outcome.out.contains("NoNewPrivs:\t1"))
            }
        }
    }
}
