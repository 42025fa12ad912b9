import Glibc
import Testing

extension Integration {
    /// What joins the ends of a function that is a box.
    @Suite("Functions' wires", .needsRoot, .needsProgram("nft"), .needsProgram("python3"))
    struct WireTests {
        let scene: SwitchScene

        init() throws {
            scene = try SwitchScene()
            try scene.create("lab", ["--subnet", "10.100.0.0/24"])
        }

        /// Hands frames on as Suricata does it, but for those with the word "drop".
        private static let program = """
            import select, socket
            ends = {}
            for name in ("in0", "out0"):
                ends[name] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
                ends[name].bind((name, 0))
            pairs = {ends["in0"]: ends["out0"], ends["out0"]: ends["in0"]}
            while True:
                for s in select.select(list(pairs), [], [])[0]:
                    frame, where = s.recvfrom(65535)
                    if where[2] != socket.PACKET_OUTGOING and b"drop" not in frame: pairs[s].send(frame)
            """

        private func insert(_ wire: String, _ command: String) throws {
            let file = try scene.box.write(
                "\(wire).toml",
                "[function]\nplacement = \"sandbox\"\nmode = \"bridge\"\nwire = \"\(wire)\"\n\(command)")
            try scene.box.must([scene.box.binary, "chain", "insert", "client", file])
        }

        @Test("a program hands frames on itself, or nothing passes; directly all do") func wires() throws {
            let server = try scene.start("server", ["--address", "10.100.0.7/24"])
            let client = try scene.start("client", ["--address", "10.100.0.9/24"])
            /// An echo with four bytes for its content. Frames of TCP and UDP have no checksum yet when a program sees them.
            func passes(_ word: String) throws -> Bool {
                let pattern = word.utf8.map { String($0, radix: 16) }.joined()
                return try client.exec(
                    [], ["ping", "-n", "-c", "1", "-W", "1", "-p", pattern, "10.100.0.7"]
                ).succeeded
            }
            #expect(try passes("drop") && passes("pass"))
            try insert("none", "[process]\ncommand = [\"python3\", \"-c\", '''\(WireTests.program)''']\n")
            #expect(Clock.waitUntil { (try? passes("pass")) == true })
            #expect(try !passes("drop") && server.ping("10.100.0.9"))
            try scene.box.must([scene.box.binary, "chain", "remove", "client", "1"])
            try insert("direct", "")
            #expect(try passes("drop") && server.ping("10.100.0.9"))
            let box = try RunningSandbox(joining: "client.direct", of: scene.box)
            #expect(try !box.exec([], ["ip", "link"]).out.contains("wire0"))
        }
    }
}
