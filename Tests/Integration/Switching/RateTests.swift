import Glibc
import Testing

extension Integration {
    @Suite("Rates", .needsRoot, .needsProgram("iperf3")) struct RateTests {
        let box: Box
        let host: TestHost

        init() throws {
            box = try Box()
            host = try TestHost(box, "host")
        }

        static let limits = set("network.rate.egress", "\"50mbit\"") + set("network.rate.ingress", "\"50mbit\"")

        /// What iperf3 measures in both directions, in Mbit/s, from a box with this attachment to a server.
        private func measure(_ network: [String], server: String) throws -> [Double] {
            try [[], ["-R"]].map { direction in
                let outcome = try host.inBox(
                    network, ["iperf3", "-c", server, "-t", "3", "-O", "1", "-f", "m"] + direction)
                let line = outcome.lines.last { $0.contains("receiver") } ?? ""
                let words = line.split(separator: " ")
                guard let unit = words.firstIndex(of: "Mbits/sec"), let rate = Double(words[unit - 1]) else {
                    throw Failure(saying: "\(outcome)")
                }
                return rate
            }
        }

        private func companions(_ name: String) throws -> [String] {
            let namespace = box.file("state/switches/\(name)/netns")
            let links = try box.must(["nsenter", "--net=\(namespace)", "ip", "-o", "link", "show", "type", "ifb"])
            return links.lines.filter { !$0.isEmpty }
        }

        @Test("a port holds 50 Mbit/s both ways") func port() throws {
            defer { host.end(boxes: ["server"], switches: ["lab"]) }
            try host.must("switch", "create", "lab", "--subnet", "10.71.0.0/24")
            let server = [
                "run", "-d", "-n", "server", "--unshare", "net", "--switch", "lab", "--address", "10.71.0.5/24",
            ]
            #expect(try host.sandbox(server + ["--", "iperf3", "-s"]).succeeded)
            #expect(Clock.waitUntil { (try? host.exec("server", ["nc", "-z", "127.0.0.1", "5201"]).succeeded) != nil })
            let rates = try measure(["--switch", "lab"] + Self.limits, server: "10.71.0.5")
            for rate in rates { #expect((45.0...52.0).contains(rate), "\(rates)") }
        }

        @Test("a macvlan port holds them where the box cannot lift them, and is refused where it can")
        func shared() throws {
            defer { host.end(boxes: ["server"]) }
            try host.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
            for link in ["v0", "v1"] { try host.ip("link", "set", link, "up") }
            let macvlan = ["--attach", "macvlan"] + set("network.device", "\"v0\"")
            let server = ["run", "-d", "-n", "server", "--unshare", "net"] + macvlan + ["--address", "10.71.1.5/24"]
            #expect(try host.sandbox(server + ["--", "iperf3", "-s"]).succeeded)
            let own = macvlan + ["--address", "10.71.1.6/24"] + Self.limits
            let refused = try host.inBox(own, ["true"])
            expectRefused(refused, naming: "network.rate", "NET_ADMIN")
            let rates = try measure(own + set("security.capabilities.keep", "[]"), server: "10.71.1.5")
            for rate in rates { #expect((45.0...52.0).contains(rate), "\(rates)") }
        }

        @Test("what holds a port goes with its box, and gc finds what is left") func clean() throws {
            defer { host.end(boxes: ["one"], switches: ["lab"]) }
            try host.must("switch", "create", "lab", "--subnet", "10.71.2.0/24")
            try host.sleeper("one", ["--switch", "lab"] + Self.limits)
            #expect(try companions("lab").count == 1)
            let shown = try box.must([
                "nsenter", "--net=\(box.file("state/switches/lab/netns"))", "tc", "-s", "qdisc", "show",
            ])
            #expect(shown.lines.filter { $0.contains("tbf") && $0.contains("rate 50Mbit") }.count == 2, "\(shown)")
            try host.must("rm", "-f", "one")
            #expect(try companions("lab").isEmpty)
            // One without a name has nobody who looks after it.
            #expect(try host.inBox(["--switch", "lab"] + Self.limits, ["true"]).succeeded)
            #expect(
                Clock.waitUntil { (try? host.sandbox(["switch", "show", "lab"]).out.contains("no ports")) == true })
            #expect(try companions("lab").count == 1)
            #expect(try host.must("gc").out.contains("on the switch lab"))
            #expect(try companions("lab").isEmpty)
        }

        @Test("a launch that fails leaves nothing") func failed() throws {
            defer { host.end(switches: ["lab"]) }
            try host.must("switch", "create", "lab", "--subnet", "10.71.3.0/24")
            // The name of the loopback is taken in the box.
            let route = set("network.routes", "[\"10.9.0.0/16 via 10.71.9.9\"]")
            expectRefused(
                try host.inBox(["--switch", "lab"] + Self.limits + route, ["true"]), naming: "network.routes")
            #expect(try companions("lab").isEmpty)
            let burst = Self.limits + set("network.mtu", "9000") + set("network.rate.burst", "\"2K\"")
            expectRefused(try host.inBox(["--switch", "lab"] + burst, ["true"]), naming: "network.rate.burst", "9018")
        }
    }
}
