import Glibc
import Testing

extension Integration {
    @Suite(
        "Load balancer", .needsRoot, .needsProgram("haproxy"), .needsProgram("nginx"), .needsProgram("curl"),
        .needsProgram("dnsmasq"), .needsProgram("nft"))
    struct LoadBalancerTests {
        /// Three servers that tell their names, and the balancer in front of them.
        private func scene() throws -> NamedSwitch {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24"])
            for name in ["web1", "web2", "web3"] { try serve(lan, name) }
            try lan.box.must([
                lan.box.binary, "run", "-d", "-n", "balancer", "--switch", "lan", "-p",
                "load-balancer?servers=web1,web2,web3&interval=200ms",
            ])
            return lan
        }

        private func serve(_ lan: NamedSwitch, _ name: String) throws {
            let temporary = ["/var/lib/nginx", "/var/log/nginx", "/run", "/var/www/html"].flatMap { ["--tmpfs", $0] }
            let script = "echo \(name) > /var/www/html/index.html; exec nginx -g 'daemon off;'"
            try lan.start(name, temporary, ["/bin/sh", "-c", script])
        }

        /// Who answers some requests through the balancer, and what failed.
        private func answers(_ lan: NamedSwitch, _ count: Int) throws -> [String] {
            let one = "curl -sS -4 -f --max-time 5 http://balancer/ 2>&1 || echo failed"
            let script = "for i in $(seq \(count)); do \(one); done"
            return try lan.box.sandbox(["exec", "client", "--", "/bin/sh", "-c", script]).lines.map { String($0) }
        }

        /// Asks until just these answer. What fails before that, within the health interval, is not counted.
        private func settles(_ lan: NamedSwitch, on servers: Set<String>) throws -> Bool {
            try Clock.waitUntil(timeout: 20) { try Set(answers(lan, 6)) == servers }
        }

        @Test("requests go round three servers; one is killed, none fails; it comes back, and is asked again")
        func killed() throws {
            let lan = try scene()
            defer { lan.end() }
            try lan.start("client")
            #expect(try settles(lan, on: ["web1", "web2", "web3"]), "not all of them, and no other, answer")
            let round = try answers(lan, 9)
            #expect(["web1", "web2", "web3"].allSatisfy { name in round.count { $0 == name } == 3 }, "\(round)")

            let gone = try #require(try lan.ask("web2").first)
            _ = try lan.box.must([lan.box.binary, "rm", "-f", "web2"])
            #expect(try settles(lan, on: ["web1", "web3"]), "not all of them, and no other, answer")
            let without = try answers(lan, 40)
            #expect(without.count == 40 && Set(without) == ["web1", "web3"], "\(without)")

            // Somebody takes its address, so that it comes back with another.
            try lan.start("taker", ["--address", "\(gone)/24"])
            try serve(lan, "web2")
            #expect(try lan.ask("web2").first != gone)
            #expect(try settles(lan, on: ["web1", "web2", "web3"]), "not all of them, and no other, answer")
        }

        @Test("a GET whose server dies over it is sent to another; a POST, which may have had its effect, is not")
        func redispatched() throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            for name in ["sound", "weak"] {
                try lan.start(name, [], ["python3", "-c", LoadBalancerTests.fragile, name])
            }
            try lan.start("client")
            try lan.box.must([
                lan.box.binary, "run", "-d", "-n", "balancer", "--switch", "lan", "-p",
                "load-balancer?servers=sound,weak&interval=5s",
            ])
            func ask(_ method: String) throws -> [String] {
                let one = "curl -sS -4 --max-time 5 -X \(method) -o /dev/null -w '%{http_code}\\n' http://balancer/page"
                let script = "for i in $(seq 12); do \(one); done"
                return try lan.box.sandbox(["exec", "client", "--", "/bin/sh", "-c", script]).lines.map { String($0) }
            }
            let isAsked = try Clock.waitUntil(timeout: 20) {
                try ask("GET").allSatisfy { $0 == "200" } && ask("POST").contains("502")
            }
            #expect(isAsked, "not each GET succeeds, or no POST fails")
            #expect(try ask("GET").filter { $0 == "200" }.count == 12)
        }

        /// Healthy when it is asked for `/`; the one called weak takes all other requests and ends without an answer.
        private static let fragile = """
            import http.server, sys
            class Answer(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    if self.path != "/" and sys.argv[1] == "weak":
                        self.close_connection = True; return
                    self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
                do_POST = do_GET
                def log_message(self, *a): pass
            http.server.ThreadingHTTPServer(("", 80), Answer).serve_forever()
            """

        @Test("it is nobody's, with one capability, and cannot write") func confined() throws {
            let lan = try scene()
            defer { lan.end() }
            let script = "grep -E '^(Uid|CapBnd|CapEff|NoNewPrivs|Seccomp):' /proc/1/status; touch /etc/x 2>&1"
            let outcome = try lan.box.sandbox(["exec", "balancer", "--", "/bin/sh", "-c", script])
            #expect(outcome.out.contains("CapBnd:\t0000000000000400"), "\(outcome)")
            #expect(outcome.out.contains("NoNewPrivs:\t1") && outcome.out.contains("Seccomp:\t2"), "\(outcome)")
            #expect(outcome.out.contains("Uid:\t65534") && !outcome.succeeded, "\(outcome)")
        }

        @Test("without servers it does not begin") func none() throws {
            let box = try Box()
            let outcome = try box.sandbox(["run", "-p", "load-balancer"])
            expectRefused(outcome, naming: "\"load-balancer\" lacks the parameter \"servers\"")
        }
    }
}
