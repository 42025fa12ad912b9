import Glibc
import Testing

extension Integration {
    @Suite(
        "Rules by name", .needsRoot, .needsProgram("dnsmasq"), .needsProgram("nft"), .needsProgram("curl"),
        .needsProgram("python3"))
    struct NameRuleTests {
        private static let subnets = ["--subnet", "10.77.1.0/24", "--subnet", "fd77::/64"]

        /// A switch, on it a name server for the rest of the world and two web servers.
        private func fabric(_ zone: [String]) throws -> NamedSwitch {
            let lan = try NamedSwitch(NameRuleTests.subnets + ["--resolver", "10.77.1.53"])
            try startWorld(lan, zone)
            for host in ["80", "81"] {
                try lan.start(
                    "server\(host)", ["--address", "10.77.1.\(host)/24,fd77::\(host)/64"],
                    ["python3", "-m", "http.server", "--bind", "::", "8080"])
            }
            // Both answer to one without rules.
            for address in ["10.77.1.80", "10.77.1.81", "[fd77::80]"] {
                let outcome = try lan.shell(
                    "curl -sS -o /dev/null --retry 40 --retry-delay 0 --retry-connrefused -m 20 http://\(address):8080/"
                )
                #expect(outcome.succeeded, "\(outcome)")
            }
            return lan
        }

        private func startWorld(_ lan: NamedSwitch, _ zone: [String]) throws {
            try lan.start(
                "world", ["--address", "10.77.1.53/24"],
                [
                    "dnsmasq", "--keep-in-foreground", "--conf-file=", "--pid-file", "--no-hosts", "--no-resolv",
                    "--user=root", "--log-facility=-",
                ] + zone.map { "--address=/\($0)" })
        }

        private func allow(_ rules: String...) -> [String] {
            ["--set", "network.allow=[\(rules.map { "\"\($0)\"" }.joined(separator: ", "))]"]
        }

        private func fetch(_ url: String, _ options: String = "") -> String {
            "curl -sS \(options) -m 2 -o /dev/null http://\(url)/"
        }

        @Test("what the name leads to, once it has been asked for, and nothing else") func allowed() throws {
            let lan = try fabric(["good.test/10.77.1.80", "good.test/fd77::80", "bad.test/10.77.1.81"])
            defer { lan.end() }
            try lan.start("client", allow("tcp to good.test:8080"))
            func run(_ script: String) throws -> Outcome {
                try lan.box.sandbox(["exec", "client", "--", "/bin/sh", "-c", script])
            }
            let early = try run(fetch("10.77.1.80:8080"))
            #expect(early.status == 28, "\(early)")
            for option in ["-4", "-6"] {
                let outcome = try run(fetch("good.test:8080", option))
                #expect(outcome.succeeded, "\(option): \(outcome)")
            }
            // Now by its address too; and a name below it.
            #expect(try run(fetch("10.77.1.80:8080")).succeeded)
            #expect(try run(fetch("www.good.test:8080", "-4")).succeeded)
            for url in ["bad.test:8080", "10.77.1.81:8080", "good.test:8081", "[fd77::81]:8080"] {
                let outcome = try run(fetch(url))
                #expect(outcome.status == 28, "\(url): \(outcome)")
            }
            // Another box has no use of it.
            let other = try lan.shell(fetch("10.77.1.80:8080"), allow("tcp to bad.test:8080"))
            #expect(other.status == 28, "\(other)")
        }

        @Test("two names of which one lies in the other") func nested() throws {
            let lan = try fabric(["good.test/10.77.1.80", "www.good.test/10.77.1.81"])
            defer { lan.end() }
            let upper = try lan.shell(fetch("www.good.test:8080"), allow("tcp to good.test:8080"))
            #expect(upper.succeeded, "\(upper)")
            let lower = try lan.shell(fetch("www.good.test:8080"), allow("tcp to www.good.test:8080"))
            #expect(lower.succeeded, "\(lower)")
            // The upper still, now that the server knows both.
            let again = try lan.shell(fetch("www.good.test:8080"), allow("tcp to good.test:8080"))
            #expect(again.succeeded, "\(again)")
            let other = try lan.shell(fetch("good.test:8080"), allow("tcp to www.good.test:8080"))
            #expect(other.status == 28, "\(other)")
        }

        @Test("a name that comes to lead elsewhere") func moved() throws {
            let lan = try fabric(["good.test/10.77.1.80"])
            defer { lan.end() }
            try lan.start("client", allow("tcp to good.test:8080", "icmp"))
            func run(_ script: String) throws -> Outcome {
                try lan.box.sandbox(["exec", "client", "--", "/bin/sh", "-c", script])
            }
            #expect(try run(fetch("good.test:8080")).succeeded)
            #expect(try run(fetch("10.77.1.81:8080")).status == 28)
            try lan.box.must([lan.box.binary, "rm", "-f", "world"])
            try startWorld(lan, ["good.test/10.77.1.81"])
            let follows = try Clock.waitUntil {
                try run("getent ahostsv4 good.test").out.contains("10.77.1.81")
            }
            #expect(follows)
            #expect(try run(fetch("10.77.1.81:8080")).succeeded)
        }

        @Test("more names than there is room for, and room again when their boxes have ended") func many() throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24", "--resolver", "10.77.1.53"])
            defer { lan.end() }
            let names = (0..<32).map { "tcp to n\($0).test:443" }
            func start(_ name: String, _ rules: [String]) throws -> Outcome {
                let list = "network.allow=[\(rules.map { "\"\($0)\"" }.joined(separator: ", "))]"
                return try lan.box.sandbox(
                    [
                        "run", "-d", "-n", name, "--unshare", "net,mount,pid", "--switch", "lan", "--set", list, "--",
                        "sleep", "1000",
                    ])
            }
            #expect(try start("full", names).succeeded)
            expectRefused(try start("late", ["tcp to late.test:443"]), naming: "network.allow", "32 names")
            #expect(try start("same", ["udp to n3.test", "tcp to n3.test:80-90", "tcp to n3.test:85-99"]).succeeded)
            try lan.box.must([lan.box.binary, "rm", "-f", "full"])
            var late: Outcome?
            let hasRoom = try Clock.waitUntil {
                late = try start("late", ["tcp to late.test:443"])
                return late?.succeeded == true
            }
            #expect(hasRoom, "\(late?.description ?? "")")
            let command = Processes.command(lan.serverProcess)
            #expect(command.contains { $0.hasPrefix("--nftset=/late.test/") })
            #expect(command.contains { $0.hasPrefix("--nftset=/n3.test/") })
        }

        @Test("what cannot be had is refused") func refused() throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24", "--resolver", "10.77.1.53"])
            defer { lan.end() }
            for name in ["web", "web.lan"] {
                expectRefused(
                    try lan.shell("true", allow("tcp to \(name):80")), naming: "network.allow", "its address")
            }
            try lan.box.must([lan.box.binary, "switch", "create", "deaf", "--dns", "--subnet", "10.77.2.0/24"])
            defer { _ = try? lan.box.sandbox(["switch", "delete", "-f", "deaf"]) }
            let run = ["run", "--unshare", "net,mount", "--set", "network.allow=[\"tcp to a.test:80\"]"]
            expectRefused(
                try lan.box.sandbox(run + ["--switch", "deaf", "--", "true"]), naming: "network.allow", "--resolver")
            expectRefused(
                try lan.box.sandbox(run + ["--switch", "plain", "--", "true"]), naming: "network.allow", "--dns")
        }
    }
}
