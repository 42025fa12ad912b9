import Glibc
import Testing

extension Integration {
    /// A port that shares a device of the host's sends from its own hardware address and addresses alone, where the box
    /// cannot lift that: shown by what a neighbour on the device gets, and what leaves the device.
    @Suite(
        "Spoofed frames do not leave a macvlan port", .serialized, .needsRoot, .needsProgram("tcpdump"),
        .needsProgram("ip"),
        .needsProgram("python3"))
    final class SharedSpoofingTests {
        let scene: SwitchScene
        /// The device, and where it leads.
        private let (near, far): (String, String)
        private let victim: RunningSandbox
        private static let raw = set("security.capabilities.keep", "[\"NET_RAW\"]")
        private static let broadcast = "ff:ff:ff:ff:ff:ff"

        init() throws {
            let place = getpid() % 100_000
            (near, far) = ("bs\(place)a", "bs\(place)b")
            scene = try SwitchScene()
            try scene.box.must(["ip", "link", "add", near, "type", "veth", "peer", "name", far])
            for end in [near, far] { try scene.box.must(["ip", "link", "set", end, "up"]) }
            try scene.create(
                "wire", ["--kind", "macvlan", "--parent", near, "--subnet", "10.97.0.1/24", "--subnet", "fd97::1/64"])
            victim = try scene.start("victim", on: "wire", ["--address", "10.97.0.7/24,fd97::7/64"])
        }

        deinit {
            victim.remove()
            _ = try? scene.box.run(["ip", "link", "delete", near])
        }

        private func mac(_ name: String) throws -> String {
            try scene.port(of: name, on: "wire")["mac"].text ?? ""
        }

        private func start(_ name: String, _ more: [String] = [], attach: String = "macvlan") throws -> RunningSandbox {
            try scene.start(
                name, on: "wire",
                ["--attach", attach, "--address", "10.97.0.6/24,fd97::6/64"] + Self.raw + more)
        }

        /// Frames from others' addresses, each with what tcpdump calls it by.
        private func spoofed(by own: String, to target: String) throws -> [(frame: String, sign: String)] {
            let (third, parent) = ("02:00:00:00:00:33", try parentAddress())
            func v6(_ last: String) -> String { "fd9700000000000000000000000000" + last }
            func message(_ source: String, _ type: String, _ body: String) -> String {
                Frames.icmpv6(v6(source), v6("07"), type: type, body, to: target, from: own)
            }
            func udp(_ source: String, _ destination: String, from mac: String) -> String {
                Frames.udp(source, destination, to: target, from: mac)
            }
            let link = "0201" + Frames.hex(own)
            return [
                (udp("10.97.0.99", "10.97.0.7", from: own), "10.97.0.99.4660"),
                (udp("10.97.0.6", "10.97.0.76", from: "02:00:00:00:be:ef"), "10.97.0.6.4660 > 10.97.0.76"),
                (udp("10.97.0.6", "10.97.0.77", from: third), "10.97.0.6.4660 > 10.97.0.77"),
                (udp("10.97.0.6", "10.97.0.78", from: parent), "10.97.0.6.4660 > 10.97.0.78"),
                (message("99", "80", "00010001"), "fd97::99 > fd97::7"),
                (Frames.arp("10.97.0.98", at: own, to: target), "Reply 10.97.0.98 is-at"),
                (Frames.arp("10.97.0.6", at: third, to: target, sender: own), "Reply 10.97.0.6 is-at \(third)"),
                (message("06", "88", "60000000" + v6("98") + link), "tgt is fd97::98"),
                (message("06", "86", "40000708" + "0000000000000000"), "router advertisement"),
                (message("06", "89", "00000000" + v6("98") + v6("98")), "redirect"),
                (Frames.ethernet(to: target, from: own, "88b5", String(repeating: "00", count: 46)), "0x88b5"),
            ]
        }

        private func parentAddress() throws -> String {
            try scene.box.must(["cat", "/sys/class/net/\(near)/address"]).text
        }

        /// Sends frames, and an honest one behind them.
        /// - Parameter way: how, a word of ``script``.
        /// - Returns: what came to the neighbour, and what left the device.
        private func take(
            _ sender: RunningSandbox, _ own: String, _ way: String, _ frames: [String]
        ) throws -> [[String]] {
            let captures = [
                try scene.capture(["victim", "eth0"], into: "victim.pcap"),
                try RunningCapture(tcpdump: scene.box, far, "far.pcap"),
            ]
            func send(_ way: String, _ frames: [String]) throws {
                let outcome = try sender.exec([], ["python3", "-c", Self.script, way] + frames)
                guard outcome.succeeded else { throw Failure(saying: "\(outcome)") }
            }
            try send(way, frames)
            try send("plain", [Frames.udp("10.97.0.6", "10.97.0.7", to: Self.broadcast, from: own)])
            return try captures.map { try $0.end(after: "10.97.0.6.4660 > 10.97.0.7.4661") }
        }

        /// Sends frames as they are: past the queues, or with another type told to the kernel than they have.
        private static let script = """
            import socket, sys
            way = sys.argv[1]
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            if way == "past queues": s.setsockopt(263, 20, 1)
            s.bind(("eth0", {"as IPv4": 0x0800, "as IPv6": 0x86DD, "as ARP": 0x0806}.get(way, 0)))
            for frame in sys.argv[2:]:
                try: s.send(bytes.fromhex(frame))
                except OSError as e:
                    if e.errno != 105: raise
            """

        @Test(
            "whatever way they are sent, to the neighbour and to all",
            arguments: ["plain", "past queues", "as IPv4", "as IPv6", "as ARP"])
        func held(_ way: String) throws {
            let evil = try start("evil")
            let own = try mac("evil")
            let all = try spoofed(by: own, to: mac("victim")) + spoofed(by: own, to: Self.broadcast)
            let seen = try take(evil, own, way, all.map { $0.frame })
            for lines in seen {
                #expect(lines.contains { $0.contains("10.97.0.6.4660 > 10.97.0.7.4661") }, "\(lines)")
                for (_, sign) in all { #expect(!lines.contains { $0.contains(sign) }, "\(sign): \(lines)") }
            }
            #expect(try scene.show("wire")["spoofed"].number == all.count)
            #expect(try !scene.port(of: "evil", on: "wire")["spoofing"].isTrue)
            evil.remove()
        }

        @Test("who may spoof does, and the switch says so") func allowed() throws {
            let free = try start("free", set("network.spoofing", "allow"))
            let own = try mac("free")
            let (near, all) = (try spoofed(by: own, to: mac("victim")), try spoofed(by: own, to: Self.broadcast))
            let seen = try take(free, own, "plain", (near + all).map { $0.frame })
            for lines in seen {
                for (_, sign) in all { #expect(lines.contains { $0.contains(sign) }, "\(sign): \(lines)") }
            }
            #expect(try scene.port(of: "free", on: "wire")["spoofing"].isTrue)
            #expect(try scene.box.sandbox(["switch", "show", "wire"]).out.contains("may spoof"))
            free.remove()
        }

        @Test("one's own is believed: both families, ARP and neighbour advertisements") func own() throws {
            let honest = try start("honest")
            #expect(try honest.ping("10.97.0.7") && honest.ping("fd97::7"))
            #expect(try victim.ping("10.97.0.6") && victim.ping("fd97::6"))
            #expect(try scene.show("wire")["spoofed"].number == 0)
            honest.remove()
        }

        @Test("frames that no rule would see are not to be had") func hidden() throws {
            let script = """
                import ctypes, errno, os
                libc = ctypes.CDLL(None, use_errno=True)
                print(libc.socket(44, 3, 0), errno.errorcode[ctypes.get_errno()])
                print(libc.syscall(425, 8, None), errno.errorcode[ctypes.get_errno()])
                """
            let evil = try start("evil")
            #expect(try evil.exec([], ["python3", "-c", script]).text == "-1 EAFNOSUPPORT\n-1 ENOSYS")
            evil.remove()
            let began = try scene.box.sandbox(
                ["run", "--unshare", "net", "--switch", "wire", "--address", "none"] + Self.raw
                    + ["--", "python3", "-c", script])
            #expect(began.text == "-1 EAFNOSUPPORT\n-1 ENOSYS", "\(began)")
            expectRefused(
                try scene.box.sandbox(
                    ["run", "--unshare", "net", "--switch", "wire"] + Self.raw
                        + set("process.no-new-privileges", "false") + ["--", "true"]),
                naming: "process.no-new-privileges", "NET_RAW")
        }

        @Test("a port without addresses is held to its hardware address") func bare() throws {
            let bare = try scene.start("bare", on: "wire", ["--address", "none"] + Self.raw)
            let own = try mac("bare")
            let frames = [
                Frames.udp("10.97.0.99", "10.97.0.7", to: Self.broadcast, from: "02:00:00:00:be:ef"),
                Frames.udp("10.97.0.6", "10.97.0.7", to: Self.broadcast, from: own),
            ]
            for lines in try take(bare, own, "plain", frames) {
                #expect(!lines.contains { $0.contains("be:ef") }, "\(lines)")
                #expect(lines.contains { $0.contains("10.97.0.6.4660") }, "\(lines)")
            }
            bare.remove()
        }

        @Test("a box that may administer its network is told of, or refused where it must not spoof")
        func administered() throws {
            #expect(try scene.port(of: "victim", on: "wire")["spoofing"].isTrue)
            let deny = ["--switch", "wire"] + set("network.spoofing", "deny")
            expectRefused(
                try scene.box.sandbox(["run", "--unshare", "net"] + deny + ["--", "true"]), naming: "network.spoofing",
                "NET_ADMIN")
            let held = try scene.box.sandbox(
                ["run", "--unshare", "net"] + deny + set("security.capabilities.keep", "[]") + ["--", "true"])
            #expect(held.succeeded, "\(held)")
            func explained(_ more: [String]) throws -> String {
                let words = ["explain", "--unshare", "net", "--switch", "wire", "--attach", "macvlan"] + more
                return try scene.box.must([scene.box.binary] + words).out
            }
            #expect(try explained([]).contains("may send from others' addresses"))
            #expect(try explained(set("security.capabilities.keep", "[]")).contains("from its own addresses alone"))
        }

        @Test("a user other than root is held, and one who turns out to be root is refused") func users() throws {
            let nobody = ["--switch", "wire", "--address", "10.97.0.6/24"] + set("process.user", "nobody")
            let held = try scene.start("held", on: "wire", Array(nobody.dropFirst(2)))
            #expect(try !scene.port(of: "held", on: "wire")["spoofing"].isTrue)
            #expect(try held.exec([], ["grep", "CapBnd", "/proc/self/status"]).out.contains("0000000000000000"))
            held.remove()
            let accounts = try scene.box.write("passwd", "root:x:0:0::/:/bin/sh\nnobody:x:0:0::/:/bin/sh\n")
            for more in [[], ["-n", "alias"]] {
                let outcome = try scene.box.sandbox(
                    ["run", "--unshare", "net,mount", "--bind", "\(accounts):/etc/passwd"] + nobody + more
                        + ["--", "true"])
                expectRefused(outcome, naming: "process.user", "is root in the box")
            }
        }

        @Test("two ports of one box, each with its own rules and addresses") func two() throws {
            let profile = """
                [namespaces]
                unshare = ["net"]
                [security.capabilities]
                keep = ["NET_RAW"]
                [network]
                switch = "wire"
                address = "10.97.0.6/24"
                allow = ["udp to 10.97.0.7"]
                more = [{ switch = "wire", name = "second", address = "10.97.0.9/24", allow = ["icmp to any"] }]
                """
            let two = try RunningSandbox(scene.box, profile, [], name: "two")
            let own = try mac("two")
            #expect(try !two.exec([], ["ping", "-c", "1", "-W", "1", "-I", "eth0", "10.97.0.7"]).succeeded)
            #expect(try two.exec([], ["ping", "-c", "1", "-W", "1", "-I", "second", "10.97.0.7"]).succeeded)
            let lines = try take(
                two, own, "plain", [Frames.udp("10.97.0.9", "10.97.0.7", to: Self.broadcast, from: own)])
            #expect(!lines.joined().contains { $0.contains("10.97.0.9.4660") }, "\(lines)")
            let shown = try scene.show("wire")
            #expect((shown["spoofed"].number ?? 0) == 1 && (shown["refused"].number ?? 0) > 0, "\(shown)")
            two.remove()
        }

        @Test("a macvtap's program is held at its character device, too") func tap() throws {
            let program = """
                import fcntl, os, socket, struct, sys
                tap = os.open("/dev/tap%d" % socket.if_nametoindex("eth0"), os.O_RDWR)
                fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", b"eth0", 0x1002))
                # SIOCSIFHWADDR at the tap needs no right at all.
                other = struct.pack("16sH6s", b"eth0", 1, bytes.fromhex("02000000be01")).ljust(40, b"\\0")
                try: fcntl.ioctl(tap, 0x8924, other)
                except OSError: pass
                for frame in sys.argv[1:]: os.write(tap, bytes.fromhex(frame))
                """
            let own = "02:00:00:00:00:42"
            let all = try spoofed(by: own, to: Self.broadcast)
            let other = Frames.udp("10.97.0.6", "10.97.0.79", to: Self.broadcast, from: "02:00:00:00:be:01")
            let honest = Frames.udp("10.97.0.6", "10.97.0.7", to: Self.broadcast, from: own)
            let capture = try RunningCapture(tcpdump: scene.box, far, "far.pcap")
            let outcome = try scene.box.sandbox(
                ["run", "--unshare", "net,mount", "--switch", "wire", "--attach", "macvtap"]
                    + ["--address", "10.97.0.6/24,fd97::6/64"] + set("network.mac", "\"\(own)\"") + Self.raw
                    + set("filesystem.private", "[\"dev\"]")
                    + ["--", "python3", "-c", program] + all.map { $0.frame } + [other, honest])
            #expect(outcome.succeeded, "\(outcome)")
            let lines = try capture.end(after: "10.97.0.6.4660 > 10.97.0.7.4661")
            #expect(lines.contains { $0.contains("10.97.0.6.4660 > 10.97.0.7.4661") }, "\(lines)")
            for sign in all.map({ $0.sign }) + ["02:00:00:00:be:01"] {
                #expect(!lines.contains { $0.contains(sign) }, "\(sign): \(lines)")
            }
        }

        @Test(
            "it is held again when it has been saved and restored", .enabled(if: canCheckpoint, "needs CRIU: make deps")
        )
        func restored() throws {
            let saved = try scene.start(
                "saved", on: "wire",
                ["--unshare", "net,pid,mount", "--address", "10.97.0.6/24,fd97::6/64"] + Self.raw
                    + set("checkpoint.enabled", "true"))
            try scene.box.must([scene.box.binary, "checkpoint", "saved", "--snapshot", "kept"])
            try scene.box.must([scene.box.binary, "restore", "kept", "-d"])
            let own = try mac("saved")
            let all = try spoofed(by: own, to: Self.broadcast)
            for lines in try take(saved, own, "plain", all.map { $0.frame }) {
                #expect(lines.contains { $0.contains("10.97.0.6.4660 > 10.97.0.7.4661") }, "\(lines)")
                for (_, sign) in all { #expect(!lines.contains { $0.contains(sign) }, "\(sign): \(lines)") }
            }
            let hidden = "import socket; socket.socket(44, 3, 0)"
            #expect(try saved.exec([], ["python3", "-c", hidden]).err.contains("not supported"))
            saved.remove()
            // One that was not on such a switch has no filter for it.
            try scene.create("lab")
            let other = try scene.start(
                "other", ["--unshare", "net,pid,mount"] + Self.raw + set("checkpoint.enabled", "true"))
            try scene.box.must([scene.box.binary, "checkpoint", "other", "--snapshot", "free"])
            expectRefused(
                try scene.box.sandbox(["restore", "free", "-d", "--switch", "wire", "--address", "10.97.0.6/24"]),
                naming: "network.switch", "macvlan")
            other.remove()
        }
    }
}

extension RunningCapture {
    /// tcpdump(8) on a link of the host's.
    fileprivate convenience init(tcpdump box: Box, _ link: String, _ file: String) throws {
        try self.init(box, by: ["tcpdump", "-i", link, "-n", "-U", "-w", box.file(file)], file)
    }
}
