import Glibc
import Testing

extension Integration {
    @Suite("Packets of a port", .needsRoot, .needsProgram("tcpdump"), .needsProgram("nft"))
    struct CaptureTests {
        let scene: SwitchScene
        var box: Box { scene.box }
        let one: RunningSandbox
        let two: RunningSandbox

        init() throws {
            scene = try SwitchScene()
            try scene.create()
            one = try scene.start("one", ["--address", "10.91.0.11/24"])
            two = try scene.start("two", ["--address", "10.91.0.12/24"])
        }

        @Test("of a sandbox, a port by its name, a port by its sandbox, and a whole switch")
        func places() throws {
            let end = try scene.port(of: "one")["port"].text ?? "?"
            let places = [["one"], ["one", "eth0"], ["lab", end], ["lab", "one"], ["lab"]]
            let captures = try places.enumerated().map { try scene.capture($1, into: "\($0).pcap") }
            #expect(try one.ping("10.91.0.12"))
            for (place, capture) in zip(places, captures) {
                let lines = try capture.end(after: "echo reply")
                #expect(
                    lines.contains { $0.contains("10.91.0.11 > 10.91.0.12: ICMP echo request") }, "\(place) \(lines)")
                #expect(lines.contains { $0.contains("echo reply") }, "\(place) \(lines)")
            }
        }

        @Test("a filter, a number of packets and a direction in the sandbox's words") func choice() throws {
            let sent = try scene.capture(["one", "--direction", "sent", "icmp"], into: "sent.pcap")
            let received = try scene.capture(["one", "--direction", "received", "icmp"], into: "received.pcap")
            let two = try scene.capture(["one", "-c", "2", "icmp", "and", "src", "10.91.0.12"], into: "two.pcap")
            for _ in 0..<2 { #expect(try one.ping("10.91.0.12")) }
            let lines = (try sent.end(after: "seq 1"), try received.end(after: "seq 1"))
            #expect(lines.0.count == 2 && lines.0.allSatisfy { $0.contains("request") }, "\(lines.0)")
            #expect(lines.1.count == 2 && lines.1.allSatisfy { $0.contains("reply") }, "\(lines.1)")
            #expect(try two.endOfItself().count == 2)
        }

        @Test("to a pipe, packet by packet; and as lines of text") func pipe() throws {
            let script = """
                exec 3>&1
                \(box.binary) switch capture one -w - -c 1 icmp 2>capture.err | tcpdump -n -r - 2>/dev/null
                """
            let reader = try box.start(["sh", "-c", script], name: "reader")
            #expect(Clock.waitUntil { (Files.read(box.file("capture.err")) ?? "").contains("listening") })
            let lines = try box.start([box.binary, "switch", "capture", "one", "-c", "1", "icmp"], name: "lines")
            #expect(Clock.waitUntil { (Files.read(box.file("lines.err")) ?? "").contains("listening") })
            #expect(try one.ping("10.91.0.12"))
            #expect(reader.wait() == .exited(0) && lines.wait() == .exited(0))
            for name in ["reader", "lines"] { #expect(box.output(name).contains("ICMP echo request"), "\(name)") }
        }

        @Test("a macvlan's packets are looked at in the box, by its own interface", .needsProgram("ip"))
        func macvlan() throws {
            let (near, far) = ("bx\(getpid() % 100_000)a", "bx\(getpid() % 100_000)b")
            try box.must(["ip", "link", "add", near, "type", "veth", "peer", "name", far])
            defer { _ = try? box.run(["ip", "link", "delete", near]) }
            for end in [near, far] { try box.must(["ip", "link", "set", end, "up"]) }
            let options = ["--kind", "macvlan", "--parent", near, "--subnet", "10.96.0.0/24"]
            try scene.create("mac", options)
            let first = try scene.start("first", on: "mac", ["--address", "10.96.0.11/24"])
            let second = try scene.start("second", on: "mac", ["--address", "10.96.0.12/24"])
            let captures = [
                try scene.capture(["first"], into: "a.pcap"),
                try scene.capture(["mac", "second", "icmp"], into: "b.pcap"),
                try scene.capture(["first", "--direction", "sent", "icmp"], into: "c.pcap"),
            ]
            #expect(try first.ping("10.96.0.12"))
            let lines = [
                try captures[0].end(after: "echo reply"), try captures[1].end(after: "echo reply"),
                try captures[2].end(after: "echo request"),
            ]
            for taken in lines { #expect(taken.contains { $0.contains("10.96.0.11 > 10.96.0.12") }, "\(taken)") }
            #expect(!lines[2].contains { $0.contains("reply") })
            let ports = try scene.show("mac")["ports"].items
            #expect(ports.map { $0["sandbox"].text } == ["first", "second"])
            #expect(
                ports.allSatisfy { $0["sentPackets"].number ?? 0 > 0 && $0["attach"].text == "macvlan" }, "\(ports)")
            expectRefused(try box.sandbox(["switch", "capture", "mac"]), naming: "name one of its sandboxes")
            for sandbox in [first, second] { sandbox.remove() }
        }

        @Test(
            "bad input: one line, and no file",
            arguments: [
                (["lab", "p99"], "has no port \"p99\""), (["one", "eth7"], "has no port \"eth7\""),
                (["nobody"], "no switch or sandbox \"nobody\""), (["lab", "frob", "and"], "is no filter"),
                (["one", "port", "99999"], "is no filter"), (["one", "-c", "0"], "1 or more"),
                (["lab", "--direction", "sent"], "needs a port"), (["one", "--direction", "up"], "up"),
            ])
        func badInput(_ words: [String], _ problem: String) throws {
            let file = box.file("none.pcap")
            expectRefused(try box.sandbox(["switch", "capture", "-w", file] + words), naming: problem)
            #expect(!Files.exists(file))
        }

        @Test("a file that cannot be written, a sandbox without interface, one that has ended") func nothing() throws {
            expectRefused(
                try box.sandbox(["switch", "capture", "one", "-w", "/no/such/folder/x"]), naming: "/no/such/folder/x")
            let plain = try RunningSandbox(box, "", [], name: "plain")
            expectRefused(try box.sandbox(["switch", "capture", "plain"]), naming: "no interface of its own")
            plain.end()
            expectRefused(try box.sandbox(["switch", "capture", "plain"]), naming: "does not run")
        }

        @Test("it ends with the port, and traffic goes on meanwhile") func ending() throws {
            let capture = try box.start(
                [box.binary, "switch", "capture", "two", "-w", box.file("end.pcap")], name: "end")
            #expect(Clock.waitUntil { (Files.read(box.file("end.err")) ?? "").contains("listening") })
            #expect(try one.ping("10.91.0.12"))
            two.remove()
            #expect(capture.wait() != nil)
        }
    }
}
