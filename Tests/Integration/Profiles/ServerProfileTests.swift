import Glibc
import Testing

extension Integration {
    /// Profiles of servers, each reached through its own network namespace.
    @Suite("Profiles of servers") struct ServerProfileTests {
        /// A command in a running box's network and, without root, in the user namespace that owns it.
        private func ask(_ it: ProfileBox, _ name: String, _ command: [String]) throws -> Outcome {
            let owner = it.caller == .user ? ["--join", "user=sandbox:\(name)"] : []
            return try it.run(nil, owner + ["--join", "net=sandbox:\(name)"], command)
        }

        /// The server comes to answer with that text.
        private func expectAnswer(
            _ it: ProfileBox, _ name: String, _ url: String, _ text: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            var answer: Outcome?
            let isRight = try Clock.waitUntil {
                answer = try ask(it, name, ServerProfileTests.curl + [url])
                return answer?.out.contains(text) == true
            }
            #expect(isRight, "\(answer?.description ?? "no answer")", sourceLocation: sourceLocation)
        }

        private static let curl = [
            "curl", "-sS", "--max-time", "10", "--retry", "40", "--retry-delay", "0", "--retry-connrefused",
        ]

        @Test(
            "web-server: nginx serves chosen documents to who joins its network",
            .needsRoot, .needsProgram("nginx"), .needsProgram("curl"))
        func webServer() throws {
            let it = try ProfileBox(.root)
            try it.write("project/index.html", "our page")
            try Files.makeLink(it.place + "/project/link", to: it.place + "/home/notes")
            try it.makeDirectory("outside/logs")
            let documents = ["--bind", "\(it.place)/project:/var/www/html:ro"]
            let options = documents + ["--bind", "\(it.place)/outside/logs:/var/log/nginx"]
            let url = "http://127.0.0.1/"
            try it.serve("web-server", options) {
                try expectAnswer(it, "web-server", url, "our page")
                // Workers are www-data, and have no power left.
                let network = try ask(it, "web-server", ["readlink", "/proc/self/ns/net"]).text
                let workers = Processes.all.filter {
                    Processes.command($0).first?.hasPrefix("nginx: worker") == true
                        && Processes.namespace("net", of: "\($0)") == network
                }
                #expect(!workers.isEmpty)
                for worker in workers {
                    #expect(Processes.status(worker, "CapPrm") == "0000000000000000")
                    #expect(Processes.status(worker, "Uid")?.hasPrefix("0 ") == false)
                }
                #expect(Clock.waitUntil { it.read("outside/logs/access.log")?.contains("GET / HTTP") == true })
                try expectAnswer(it, "web-server", url + "link", "404 Not Found")
            }
            // The negative control: with the home in place the same link leads out.
            try it.serve("web-server", options + ["--set", "filesystem.private=[\"tmp\", \"dev\", \"run\"]"]) {
                try expectAnswer(it, "web-server", url + "link", ProfileBox.secret)
            }
        }

        @Test(
            "web-server: nginx without root, asked from inside",
            .needsUserNamespaces, .needsProgram("nginx"), .needsProgram("curl"))
        func webServerOfUser() throws {
            let it = try ProfileBox(.user)
            try it.write("project/index.html", "our page")
            let script = "nginx; \(ServerProfileTests.curl.joined(separator: " ")) http://127.0.0.1/; nginx -s stop"
            let served = try it.shell(
                "web-server", script, options: ["--bind", "\(it.place)/project:/var/www/html:ro"])
            #expect(served.out.contains("our page"), "\(served)")
            try it.expectOutOfReach("web-server", "cat ~/notes")
        }

        @Test(
            "redis: serves from memory, and cannot write its dump where it is told to",
            .needsProgram("redis-server"), arguments: Caller.all)
        func redis(caller: Caller) throws {
            let it = try ProfileBox(caller)
            let port = 20000 + Int(getpid() % 10000) + (caller == .root ? 0 : 10000)
            let client = "redis-cli -p \(port)"
            let script = """
                redis-server --port \(port) --bind 127.0.0.1 --save '' --dir "$HOME" --dbfilename stolen >/dev/null &
                until \(client) ping >/dev/null; do sleep 0.05; done
                \(client) set key value; \(client) get key; \(client) save; \(client) shutdown nosave; wait
                """
            for profile in ["redis", nil] {
                let outcome = try it.shell(profile, script)
                #expect(outcome.text == "OK\nvalue\nOK", "\(outcome)")
                #expect(Files.exists(it.place + "/home/stolen") == (profile == nil))
            }
            try it.expectOutOfReach("redis", "cat ~/.ssh/id")
        }

        @Test(
            "redis: its own command as user redis, reached by joining its network and from nowhere else",
            .needsRoot, .needsProgram("redis-server"))
        func redisService() throws {
            let it = try ProfileBox(.root)
            try it.serve("redis", ["--user", "redis"]) {
                #expect(it.box.waitForOutput("Ready to accept connections", name: "redis"))
                expectOutput(try ask(it, "redis", ["redis-cli", "set", "mark", ProfileBox.secret]), "OK")
                expectOutput(try ask(it, "redis", ["redis-cli", "get", "mark"]), ProfileBox.secret)
                let outside = try it.run(nil, ["--unshare", "net"], ["redis-cli", "get", "mark"])
                #expect(!outside.succeeded && !outside.out.contains(ProfileBox.secret), "\(outside)")
            }
        }

        @Test(
            "static-site: the directory is served, what its links lead to is not", .needsProgram("curl"),
            arguments: Caller.all)
        func staticSite(caller: Caller) throws {
            let it = try ProfileBox(caller)
            try it.write("project/page", "our page")
            try Files.makeLink(it.place + "/project/link", to: it.place + "/home/notes")
            let url = "http://127.0.0.1:8000/"
            try it.serve("static-site") {
                #expect(it.box.waitForOutput("Serving HTTP", name: "static-site"))
                try expectAnswer(it, "static-site", url + "page", "our page")
                try expectAnswer(it, "static-site", url + "link", "404")
            }
            let open = try it.run(
                nil, ["--unshare", "net"],
                [
                    "sh", "-c",
                    "python3 -m http.server --bind 127.0.0.1 8000 2>/dev/null >&2 & "
                        + ServerProfileTests.curl.joined(separator: " ") + " \(url)link; kill $!",
                ])
            #expect(open.text == ProfileBox.secret, "\(open)")
        }
    }
}
