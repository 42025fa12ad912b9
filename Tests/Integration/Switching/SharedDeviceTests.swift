import Glibc
import Testing

extension Integration {
    @Suite("Interfaces on a device of the host", .needsRoot) struct SharedDeviceTests {
        let box: Box
        let host: TestHost

        /// A host whose `v0` leads to a bridge with 10.72.0.1.
        init() throws {
            box = try Box()
            host = try TestHost(box, "host")
            try host.addOutside("10.72.0.1/24")
        }

        private func network(_ mode: String, _ number: Int, _ more: [String] = []) -> [String] {
            ["--attach", "macvlan", "--address", "10.72.0.\(number)/24"] + set("network.device", "\"v0\"")
                + set("network.mode", "\"\(mode)\"") + more
        }

        @Test("mode bridge reaches neighbours and what is beyond") func bridge() throws {
            defer { host.end(boxes: ["one", "two"]) }
            try host.sleeper("one", network("bridge", 2))
            try host.sleeper("two", network("bridge", 3))
            #expect(try host.pings("one", "10.72.0.3"))
            #expect(try host.pings("one", "10.72.0.1"))
        }

        @Test("mode private reaches no neighbour") func alone() throws {
            defer { host.end(boxes: ["one", "two"]) }
            try host.sleeper("one", network("private", 2))
            try host.sleeper("two", network("private", 3))
            #expect(try !host.pings("one", "10.72.0.3"))
            #expect(try host.pings("one", "10.72.0.1"))
        }

        @Test("mode vepa reaches neighbours where the bridge sends frames back") func vepa() throws {
            defer { host.end(boxes: ["one", "two"]) }
            try host.sleeper("one", network("vepa", 2))
            try host.sleeper("two", network("vepa", 3))
            #expect(try !host.pings("one", "10.72.0.3"))
            try host.ip("link", "set", "v1", "type", "bridge_slave", "hairpin", "on")
            #expect(try host.pings("one", "10.72.0.3"))
        }

        @Test("mode passthru takes the device for itself") func passthru() throws {
            defer { host.end(boxes: ["one", "two"]) }
            try host.sleeper("one", network("passthru", 2))
            #expect(try host.pings("one", "10.72.0.1"))
            expectRefused(try host.inBox(network("passthru", 3), ["true"]), naming: "network.attach", "v0")
        }

        @Test("mode source hears only who is listed") func source() throws {
            defer { host.end(boxes: ["one", "two"]) }
            let address = try host.run(["ip", "-br", "link", "show", "b0"]).text.split(separator: " ")[2]
            try host.sleeper("one", network("source", 2, set("network.sources", "[\"\(address)\"]")))
            try host.sleeper("two", network("source", 3, set("network.sources", "[\"02:00:00:00:00:99\"]")))
            #expect(try host.pings("one", "10.72.0.1"))
            #expect(try !host.pings("two", "10.72.0.1"))
        }

        @Test("a switch of kind macvlan gives addresses, which are free when their processes have ended")
        func leases() throws {
            defer { host.end(boxes: ["one", "two", "three"], switches: ["wire"]) }
            try host.must("switch", "create", "wire", "--kind", "macvlan", "--parent", "v0", "--subnet", "10.72.0.1/30")
            try host.sleeper("one", ["--switch", "wire"])
            #expect(try host.exec("one", ["ip", "-br", "address", "show", "eth0"]).out.contains("10.72.0.2/30"))
            #expect(try host.pings("one", "10.72.0.1"))
            expectRefused(
                try host.inBox(["--switch", "wire"], ["true"]), naming: "network.address", "no address left")
            expectRefused(
                try host.inBox(["--switch", "wire", "--address", "10.72.0.2/30"], ["true"]), naming: "taken", "\"one\"")
            expectRefused(try host.sandbox(["switch", "delete", "wire"]), naming: "has a port")
            try host.must("rm", "-f", "one")
            #expect(try host.inBox(["--switch", "wire"], ["ip", "-br", "address"]).out.contains("10.72.0.2/30"))
            // Nobody has cleared that one away.
            try host.sleeper("three", ["--switch", "wire"])
            try host.must("rm", "-f", "three")
            try host.must("switch", "delete", "wire")
        }

        @Test(
            "what the box of before has still is awaited, for its namespace goes later",
            arguments: ["bridge", "passthru"])
        func lateNamespace(_ mode: String) throws {
            defer { host.end(boxes: ["one"]) }
            let network = network(mode, 2)
            try host.sleeper("one", network)
            let show = ["ip", "link", "show", "eth0"]
            let mac = try host.exec("one", show).out.split(separator: "link/ether ").last?.prefix(17)
            // As the kernel does, which takes a namespace down some time later.
            let file = open("/proc/\(box.recorded("process", of: "one")?.pid ?? 0)/ns/net", O_RDONLY | O_CLOEXEC)
            #expect(file >= 0)
            try host.must("rm", "-f", "one")
            let next = try host.start(
                ["run", "-n", "one", "--unshare", "net"] + network + ["--"] + show, name: "next")
            #expect(next.wait(timeout: 0.5) == nil)
            close(file)
            #expect(next.wait() == .exited(0), "\(Files.read(box.file("next.err")) ?? "")")
            let seen = Files.read(box.file("next.out")) ?? ""
            #expect(seen.contains(try #require(mac)), "\(seen), not \(mac ?? "")")
        }

        @Test("a hardware address that another box or the device has is refused") func hardwareAddressTaken() throws {
            defer { host.end(boxes: ["one"]) }
            let mac = set("network.mac", "\"02:00:00:00:00:42\"")
            try host.sleeper("one", network("bridge", 2, mac))
            expectRefused(try host.inBox(network("bridge", 3, mac), ["true"]), naming: "network.mac", "taken")
            let own = try host.run(["ip", "-br", "link", "show", "v0"]).text.split(separator: " ")[2]
            let parent = set("network.mac", "\"\(own)\"")
            expectRefused(try host.inBox(network("bridge", 3, parent), ["true"]), naming: "network.mac", "taken")
        }

        @Test("a switch of kind macvlan has names, isolation and rules") func names() throws {
            let all = ["cache", "away", "client", "apart", "asks", "free"]
            defer { host.end(boxes: all, switches: ["wire"]) }
            try host.must(
                "switch", "create", "wire", "--kind", "macvlan", "--parent", "v0", "--subnet", "10.72.0.200/24", "--dns"
            )
            func start(_ name: String, _ more: [String], _ command: [String] = ["sleep", "1000"]) throws {
                let words = ["run", "-d", "-n", name, "--unshare", "net,mount,pid", "--switch", "wire"]
                let outcome = try host.sandbox(words + more + ["--"] + command)
                guard outcome.succeeded else { throw Failure(saying: "\(name): \(outcome)") }
            }
            let server = ["python3", "-c", PortScripts.server]
            try start("cache", ["--address", "10.72.0.11/24"], server)
            try start("away", ["--address", "10.72.0.12/24"] + set("network.isolated", "true"), server)
            try start("apart", set("network.isolated", "true"))
            try start("free", [])
            let none = set("security.capabilities.keep", "[]")
            let rules = set("network.allow", "[\"tcp to 10.72.0.11:80\", \"udp to 10.72.0.200:53\"]")
            try start("asks", none + rules)
            func reaches(_ box: String, _ place: String, _ port: Int) throws -> Bool {
                let script = """
                    import socket, sys
                    try: s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 1); s.close()
                    except OSError as e: sys.exit(1)
                    """
                return try host.exec(box, ["python3", "-c", script, place, "\(port)"]).succeeded
            }
            #expect(Clock.waitUntil { (try? reaches("free", "cache", 80)) == true })
            #expect(try reaches("free", "cache", 81))
            #expect(try !reaches("free", "away", 80))
            #expect(try !reaches("apart", "10.72.0.12", 80))
            #expect(try !reaches("apart", "10.72.0.11", 80))
            #expect(Clock.waitUntil { (try? reaches("asks", "cache", 80)) == true })
            #expect(try !reaches("asks", "cache", 81))
            #expect(try !host.pings("asks", "10.72.0.11"))
            #expect(try host.pings("free", "10.72.0.11"))
            let names = box.file("state/switches/wire/hosts")
            #expect(Files.list(names).contains("10.72.0.11"))
            try host.must("rm", "-f", "cache")
            #expect(!Files.list(names).contains("10.72.0.11"))
        }

        @Test("a program speaks Ethernet at the character device of a macvtap, and has no other") func tap() throws {
            defer { host.end(boxes: ["neighbour"]) }
            try host.sleeper("neighbour", network("bridge", 3))
            let program = """
                import fcntl, os, socket, struct, sys
                index = socket.if_nametoindex("eth0")
                mac = bytes.fromhex("020000000042")
                tap = os.open(f"/dev/tap{index}", os.O_RDWR)
                fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", b"eth0", 0x1002))
                own, other = socket.inet_aton("10.72.0.2"), socket.inet_aton("10.72.0.3")
                arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + own + bytes(6) + other
                os.write(tap, bytes([255] * 6) + mac + b"\\x08\\x06" + arp)
                while True:
                    frame = os.read(tap, 2000)
                    if frame[12:14] == b"\\x08\\x06" and frame[20:22] == b"\\0\\2" and frame[28:32] == other:
                        taps = [name for name in os.listdir("/dev") if "tap" in name]
                        print("answered by", frame[6:12].hex(":"), taps == [f"tap{index}"])
                        break
                """
            let outcome = try host.sandbox(
                [
                    "run", "--unshare", "net,mount", "--attach", "macvtap", "--address", "10.72.0.2/24",
                ] + set("network.device", "\"v0\"") + set("network.mac", "\"02:00:00:00:00:42\"")
                    + set("filesystem.private", "[\"dev\"]") + ["--", "python3", "-c", program])
            #expect(outcome.out.hasPrefix("answered by "), "\(outcome)")
            #expect(outcome.out.contains("True"), "\(outcome)")
        }

        @Test("rules on a device are refused where the box could lift them") func rulesLifted() throws {
            let network =
                ["--attach", "macvlan", "--address", "10.72.0.2/24"] + set("network.device", "\"v0\"")
                + set("network.allow", "[\"icmp\"]")
            expectRefused(try host.inBox(network, ["true"]), naming: "network.allow", "NET_ADMIN")
        }

        @Test(
            "a parent that is not there, a second IPv4 address taken, macvtap without a /dev or with DHCP",
            arguments: [
                (
                    ["--attach", "macvlan", "--address", "10.72.0.2/24"] + set("network.device", "\"nowhere\""),
                    "nowhere"
                ),
                (["--attach", "macvlan"] + set("network.device", "\"v0\""), "network.address"),
                (["--attach", "macvtap", "--address", "none"] + set("network.device", "\"v0\""), "filesystem.private"),
                (["--attach", "macvtap", "--address", "dhcp"] + set("network.device", "\"v0\""), "network.address"),
                (["--attach", "macvlan", "--address", "10.72.0.2/24"] + set("network.device", "\"lo0\""), "lo0"),
            ]) func refused(_ network: [String], _ word: String) throws
        {
            expectRefused(try host.inBox(network, ["true"]), naming: word)
        }

        // MARK: - A device moved in

        @Test(
            "a device is moved in, renamed, and given back under its old name", arguments: ["exit", "kill", "rename"])
        func moved(_ way: String) throws {
            defer { host.end(boxes: ["one"]) }
            let address = try host.run(["ip", "-br", "link", "show", "v0"]).text.split(separator: " ")[2]
            let network =
                ["--attach", "physical", "--address", "10.72.0.9/24"] + set("network.device", "\"v0\"")
                + set("network.name", "\"lan0\"") + set("network.mac", "\"02:00:00:00:00:77\"")
            try host.sleeper("one", network)
            #expect(try !host.run(["ip", "link", "show", "v0"]).succeeded)
            #expect(try host.pings("one", "10.72.0.1"))
            #expect(try host.exec("one", ["ip", "link", "show", "lan0"]).out.contains("02:00:00:00:00:77"))
            switch way {
            case "kill": kill(box.recorded("process", of: "one")?.pid ?? 0, SIGKILL)
            case "rename":
                _ = try host.exec("one", ["ip", "link", "set", "lan0", "down"])
                _ = try host.exec("one", ["ip", "link", "set", "lan0", "name", "mine"])
                try host.must("stop", "one")
            default: try host.must("stop", "one")
            }
            #expect(Clock.waitUntil { (try? host.run(["ip", "link", "show", "v0"]).out.contains(address)) == true })
            #expect(try host.run(["ip", "-br", "link", "show", "v0"]).out.contains("UP"))
        }

        @Test("a device is given back when the launch fails") func movedAndFailed() throws {
            let network = ["--attach", "physical", "--address", "10.72.0.9/24"] + set("network.device", "\"v0\"")
            expectRefused(try host.inBox(network, ["/nonexistent"]), status: 127, naming: "/nonexistent")
            #expect(Clock.waitUntil { (try? host.run(["ip", "link", "show", "v0"]).succeeded) == true })
            let bad = ["--attach", "physical", "--address", "10.72.0.9/24"] + set("network.device", "\"v1\"")
            expectRefused(try host.inBox(bad, ["true"]), naming: "network.device", "v1", "port of another")
        }
    }
}
