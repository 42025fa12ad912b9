import Glibc
import Testing

extension Integration {
    @Suite("A switch on two hosts", .needsRoot) struct SpanningTests {
        let box: Box

        init() throws { box = try Box() }

        @Test(
            "boxes reach one another through VXLAN",
            arguments: [
                ("10.74.0.1/24", "10.74.0.2/24", false), ("fd74::1/64", "fd74::2/64", false),
                ("10.74.0.1/24", "10.74.0.2/24", true),
            ]) func spans(_ first: String, _ second: String, byGroup: Bool) throws
        {
            let hosts = [try TestHost(box, "a", state: "a"), try TestHost(box, "b", state: "b")]
            defer { for host in hosts { host.end(boxes: ["one"], switches: ["wide"]) } }
            try hosts[0].ip("link", "add", "net0", "type", "veth", "peer", "name", "net0", "netns", hosts[1].name)
            let addresses = [first, second]
            let plain = addresses.map { String($0.split(separator: "/")[0]) }
            for (index, host) in hosts.enumerated() {
                try host.ip("address", "add", addresses[index], "dev", "net0", "nodad")
                try host.ip("link", "set", "net0", "up")
                let way = byGroup ? ["--group", "239.7.4.1", "--device", "net0"] : ["--peer", plain[1 - index]]
                let made = try host.sandbox(
                    ["switch", "create", "wide", "--subnet", "10.75.0.25\(index + 1)/24", "--vxlan", "74"] + way
                        + (byGroup ? ["--mtu", "1430"] : []))
                #expect(made.succeeded, "\(made)")
                try host.sleeper("one", ["--switch", "wide", "--address", "10.75.0.\(index + 1)/24"])
            }
            #expect(Clock.waitUntil { (try? hosts[0].pings("one", "10.75.0.2")) == true })
            #expect(try hosts[1].pings("one", "10.75.0.1"))
            #expect(try hosts[0].pings("one", "10.75.0.251"))
            // The largest packet of the switch.
            let size = byGroup || first.contains(":") ? "1402" : "1422"
            let large = try hosts[0].exec(
                "one", ["ping", "-c", "1", "-W", "5", "-M", "do", "-s", size, "10.75.0.2"])
            #expect(large.succeeded, "\(large)")
            try hosts[0].must("rm", "-f", "one")
            try hosts[0].must("switch", "delete", "wide")
            // What was there of it is in no namespace any more: its number is free.
            try hosts[0].must(
                "switch", "create", "wide", "--subnet", "10.75.0.251/24", "--vxlan", "74", "--peer", "10.74.0.9")
        }

        @Test(
            "what contradicts itself is refused",
            arguments: [
                (["--vxlan", "7"], "--peer"), (["--vxlan", "7", "--peer", "10.0.0.1", "--peer", "fd00::1"], "mixed"),
                (["--vxlan", "7", "--group", "239.0.0.1"], "--device"), (["--peer", "10.0.0.1"], "--vxlan"),
                (["--vxlan", "16777216", "--peer", "10.0.0.1"], "16777215"),
                (["--vxlan", "7", "--peer", "here"], "here"), (["--vxlan", "7", "--group", "10.0.0.1"], "group"),
                (["--vxlan", "7", "--peer", "10.0.0.1", "--device", "nowhere0"], "nowhere0"),
            ]) func refused(_ options: [String], _ word: String) throws
        {
            let outcome = try box.sandbox(["switch", "create", "wide", "--subnet", "10.75.1.0/24"] + options)
            #expect(outcome.status == 125 && outcome.err.contains(word), "\(outcome)")
            #expect(try box.sandbox(["switch", "list", "--json"]).text == "[]")
        }

        @Test("VLANs are refused where the kernel has none") func vlans() throws {
            let outcome = try box.sandbox(["switch", "create", "v", "--subnet", "10.75.2.0/24", "--vlan-filtering"])
            if outcome.succeeded {
                try box.must([box.binary, "switch", "delete", "v"])
            } else {
                expectRefused(outcome, naming: "CONFIG_BRIDGE_VLAN_FILTERING")
                #expect(try box.sandbox(["switch", "list", "--json"]).text == "[]")
            }
        }
    }
}
