import Glibc
import Testing

extension Integration {
    @Suite("Many ports", .needsRoot) struct ManyPortsTests {
        let box: Box
        let host: TestHost

        init() throws {
            box = try Box()
            host = try TestHost(box, "host")
        }

        private func fabric(_ name: String, _ words: [String]) throws -> Outcome {
            try box.must(["nsenter", "--net=\(box.file("state/switches/\(name)/netns"))"] + words)
        }

        /// Takes the places that are given on a switch's first bridge, so that its first port is the last there.
        private func fill(_ name: String) throws {
            let lines = (0..<960).map { "link add f\($0) master br0 type veth peer name g\($0)" }
            let file = try box.write("fill", lines.joined(separator: "\n") + "\n")
            _ = try fabric(name, ["ip", "-batch", file])
        }

        @Test("two hundred that begin at once have two hundred addresses") func atOnce() throws {
            defer { host.end(switches: ["many"]) }
            try host.must("switch", "create", "many", "--subnet", "10.76.0.0/23")
            let script = """
                i=0
                while [ $i -lt 200 ]; do
                    "$1" run --unshare net --switch many -- sh -c \
                        'ip -o -4 address show eth0; sleep 3' & i=$((i + 1))
                done
                wait
                """
            let outcome = try host.run(["sh", "-c", script, "sh", box.binary], timeout: 120)
            let addresses = outcome.lines.compactMap { line in
                line.split(separator: " ").first { $0.hasPrefix("10.76.") }
            }
            #expect(addresses.count == 200 && Set(addresses).count == 200, "\(outcome)")
            #expect(outcome.err.isEmpty, "\(outcome.err.prefix(1000))")
        }

        @Test(
            "what ports that are gone leave in the switch's sets is taken out, what others have stays",
            .needsProgram("nft"))
        func stale() throws {
            defer { host.end(boxes: ["stays"], switches: ["old"]) }
            try host.must("switch", "create", "old", "--subnet", "10.76.8.0/24")
            try host.sleeper("stays", ["--switch", "old", "--set", "network.allow=[\"tcp to 10.76.8.0/24:80\"]"])
            let rules = ["--switch", "old", "--set", "network.allow=[\"tcp to 10.76.8.9:80\"]"]
            for _ in 0..<3 {
                let outcome = try host.inBox(rules, ["true"])
                #expect(outcome.status == 0, "\(outcome)")
            }
            func sets() throws -> [String] {
                let ruleset =
                    try fabric("old", ["nft", "-n", "list", "table", "bridge", "switch"]).text
                    + fabric("old", ["nft", "-n", "list", "table", "bridge", "rules"]).text
                return ["guarded", "source4", "filtered", "out4"].map { name in
                    let set = ruleset.split(separator: "\tset ").first { $0.hasPrefix("\(name) {") } ?? ""
                    return String(set.split(separator: "elements = {").last?.prefix { $0 != "}" } ?? "")
                }
            }
            let before = try sets().map { $0.split(separator: ",").count }
            #expect(before == [4, 4, 4, 4])
            // As if this were the 1,024th port.
            let number = "import sys; open(sys.argv[1], 'r+b').write((1023).to_bytes(8, 'little'))"
            try box.must(["python3", "-c", number, box.file("state/switches/old/next")])
            #expect(try host.inBox(rules, ["true"]).status == 0)
            // The one that stays, and the one that cleaned up.
            let after = try sets()
            #expect(after.map { $0.split(separator: ",").count } == [2, 2, 2, 2], "\(after)")
            #expect(after[1].contains("10.76.8.2"), "\(after)")
        }

        @Test("an address rests before it is given again, and one too many is refused") func full() throws {
            defer { host.end(boxes: ["a", "b", "c"], switches: ["small"]) }
            // Two hosts beside the switch itself, and four.
            try host.must("switch", "create", "small", "--subnet", "10.76.2.0/29")
            let show = ["ip", "-o", "-4", "address", "show", "eth0"]
            var seen: [String] = []
            for _ in 0..<5 {
                let outcome = try host.inBox(["--switch", "small"], show)
                seen += outcome.text.split(separator: " ").filter { $0.hasPrefix("10.76.2.") && $0.hasSuffix("/29") }
                    .map { String($0) }
            }
            #expect(Set(seen).count == 5, "\(seen)")
            try host.must("switch", "create", "tiny", "--subnet", "10.76.3.0/30")
            defer { host.end(switches: ["tiny"]) }
            try host.sleeper("a", ["--switch", "tiny"])
            expectRefused(try host.inBox(["--switch", "tiny"], ["true"]), naming: "network.address", "no address left")
        }

        @Test("what does not fit on one bridge goes to another, where all is as on one") func beyond() throws {
            let names = (0..<4).map { "n\($0)" }
            defer { host.end(boxes: names, switches: ["wide"]) }
            try host.must("switch", "create", "wide", "--subnet", "10.76.4.0/24")
            try fill("wide")
            for (index, name) in names.enumerated() {
                try host.sleeper(name, ["--switch", "wide", "--address", "10.76.4.\(index + 10)/24"])
            }
            let bridges = try fabric("wide", ["ip", "-o", "link", "show", "type", "bridge"])
            #expect(bridges.lines.filter { !$0.isEmpty }.count == 2, "\(bridges)")
            // From the first bridge to the second, back, on the second alone, and to the switch itself.
            for (from, to) in [("n0", "13"), ("n3", "10"), ("n2", "13"), ("n3", "1"), ("n0", "1")] {
                let reached = try host.pings(from, "10.76.4.\(to)")
                #expect(reached, "\(from) to \(to)")
            }
            // Nothing of that was seen by who is not concerned.
            // Not by /sys, which shows the namespace that it was mounted in.
            let counters = try host.exec("n1", ["awk", "/eth0/ { print $3 }", "/proc/net/dev"])
            #expect(counters.text == "0", "\(counters)")
        }

        @Test("isolated ports are apart on different bridges too") func isolated() throws {
            let names = (0..<4).map { "n\($0)" }
            defer { host.end(boxes: names, switches: ["wide"]) }
            try host.must("switch", "create", "wide", "--subnet", "10.76.5.0/24", "--isolated")
            try fill("wide")
            for (index, name) in names.enumerated() {
                let open = index == 3 ? set("network.isolated", "false") : []
                try host.sleeper(name, ["--switch", "wide", "--address", "10.76.5.\(index + 10)/24"] + open)
            }
            for (from, to, reaches) in [
                ("n0", 11, false), ("n1", 10, false), ("n1", 12, false), ("n0", 13, true), ("n3", 11, true),
                ("n2", 1, true),
            ] {
                let reached = try host.pings(from, "10.76.5.\(to)")
                #expect(reached == reaches, "\(from) to \(to)")
            }
        }

        @Test(
            "a capture of the whole switch sees each frame once, whatever bridges it passes", .needsProgram("tcpdump"))
        func captured() throws {
            let names = (0..<4).map { "n\($0)" }
            defer { host.end(boxes: names, switches: ["wide"]) }
            try host.must("switch", "create", "wide", "--subnet", "10.76.6.0/24")
            try fill("wide")
            // The second bridge comes while it looks.
            let all = try RunningCapture(box, ["wide", "icmp"], "all.pcap")
            #expect(Files.read(box.file("all.pcap.err"))?.contains("1 bridge\n") == true)
            for (index, name) in names.enumerated() {
                try host.sleeper(name, ["--switch", "wide", "--address", "10.76.6.\(index + 10)/24"])
            }
            // A terminal's new size is no reason to end.
            all.signal(SIGWINCH)
            #expect(Clock.waitUntil { (Files.read(box.file("all.pcap.err")) ?? "").contains("2 bridges") })
            let text = try box.start([box.binary, "switch", "capture", "wide", "-c", "1", "icmp"], name: "text")
            #expect(Clock.waitUntil { (Files.read(box.file("text.err")) ?? "").contains("listening") })
            // On the second bridge alone, between the two both ways, and to the switch itself from both.
            let ways = [("n2", "13"), ("n0", "13"), ("n3", "10"), ("n3", "1"), ("n0", "1")]
            for (from, to) in ways {
                let outcome = try host.exec(from, ["ping", "-n", "-c", "1", "-W", "2", "10.76.6.\(to)"])
                #expect(outcome.succeeded, "\(from) to \(to)")
            }
            #expect(text.wait() == .exited(0) && box.output("text").contains("ICMP echo request"))
            let lines = try all.end(after: "10.76.6.1 > 10.76.6.10: ICMP echo reply")
            for (from, to) in ways {
                let own = "10.76.6.1\(from.dropFirst())"
                for line in ["\(own) > 10.76.6.\(to): ICMP echo request", "10.76.6.\(to) > \(own): ICMP echo reply"] {
                    #expect(lines.filter { $0.contains(line) }.count == 1, "\(line): \(lines)")
                }
            }
        }
    }
}
