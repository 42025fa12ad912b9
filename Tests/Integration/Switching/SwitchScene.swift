import CLinux
import Glibc
import Testing

/// Switches of one test, and what is on them; all of it goes away with the value.
final class SwitchScene: Sendable {
    let box: Box

    init() throws { box = try Box() }

    deinit {
        // What is damaged on purpose cannot always be asked to go by its own name.
        let sandboxes = Files.list(box.file("state/sandboxes")).filter { !$0.hasPrefix(".") }
        if !sandboxes.isEmpty { _ = try? box.sandbox(["rm", "-f"] + sandboxes) }
        let switches = Files.list(box.file("state/switches")).filter { !$0.hasPrefix(".") }
        if !switches.isEmpty { _ = try? box.sandbox(["switch", "delete", "-f"] + switches) }
    }

    func create(_ name: String = "lab", _ options: [String] = ["--subnet", "10.91.0.0/24"]) throws {
        try box.must([box.binary, "switch", "create", name] + options)
    }

    /// A detached sandbox with a port.
    func start(
        _ name: String, on fabric: String = "lab", _ options: [String] = [], _ command: [String] = ["sleep", "1000"]
    ) throws -> RunningSandbox {
        try RunningSandbox(
            box, "", ["--unshare", "net", "--switch", fabric] + options, command, name: name)
    }

    /// One whose command answers on its ports.
    func startServer(
        _ name: String, on fabric: String = "lab", _ options: [String] = [], _ program: String = PortScripts.server
    ) throws -> RunningSandbox {
        let server = try start(name, on: fabric, options, ["python3", "-c", program])
        guard Clock.waitUntil({ server.log.contains("ready") }) else {
            throw Failure(saying: "no server: \(server.log)")
        }
        return server
    }

    func show(_ fabric: String = "lab") throws -> JSONDocument {
        try box.sandbox(["switch", "show", fabric, "--json"]).document()
    }

    /// A sandbox's port, as the switch shows it.
    func port(of sandbox: String, on fabric: String = "lab") throws -> JSONDocument {
        let port = try show(fabric)["ports"].items.first { $0["sandbox"].text == sandbox }
        guard let port else { throw Failure(saying: "\(sandbox) has no port") }
        return port
    }

    func ports(_ fabric: String = "lab") throws -> Int { try show(fabric)["ports"].items.count }

    var switches: [String] { Files.list(box.file("state/switches")).sorted() }
    /// The files that keep network namespaces of the state directory.
    var mounts: [String] {
        (Files.read("/proc/self/mountinfo") ?? "").split(separator: "\n").map(String.init)
            .filter { $0.contains(box.path + "/") }
    }

    /// Ends a ping(8) that writes to `flood.out`.
    /// - Returns: what it said, its line of counts, and the numbers in that: sent, received and so on.
    func endFlood(_ flood: Child) -> (said: String, line: Substring, numbers: [Int]) {
        kill(RunningSandbox.command(of: flood), SIGINT)
        _ = flood.wait()
        let said = Files.read(box.file("flood.out")) ?? ""
        let line = said.split(separator: "\n").first { $0.contains("packets transmitted") } ?? ""
        return (said, line, line.split { !$0.isNumber }.compactMap { Int($0) })
    }

    /// Starts `sandbox switch capture` into a file and waits until it looks.
    func capture(_ words: [String], into file: String = "taken.pcap") throws -> RunningCapture {
        try RunningCapture(box, words, file)
    }
}

/// A capture under way.
final class RunningCapture {
    private let box: Box
    private let child: Child
    private let file: String

    convenience init(_ box: Box, _ words: [String], _ file: String) throws {
        try self.init(box, by: [box.binary, "switch", "capture"] + words + ["-w", box.file(file)], file)
    }

    /// By a command that writes to the file, and says on standard error that it listens.
    init(_ box: Box, by command: [String], _ file: String) throws {
        (self.box, self.file) = (box, file)
        child = try box.start(command, name: file)
        let isLooking = Clock.waitUntil { (Files.read(box.file(file + ".err")) ?? "").contains("listening on") }
        guard isLooking else { throw Failure(saying: Files.read(box.file(file + ".err")) ?? "no capture") }
    }

    func signal(_ number: Int32) { child.signal(number) }

    /// Ends it as Ctrl-C does.
    /// - Returns: a line for each packet.
    func end() throws -> [String] {
        // Of what it has been handed it writes all.
        child.signal(SIGINT)
        guard child.wait() == .exited(0) else { throw Failure(saying: "the capture did not end well") }
        return try lines()
    }

    /// Waits until it has taken what it was to take.
    func endOfItself() throws -> [String] {
        guard child.wait() == .exited(0) else { throw Failure(saying: "the capture did not end well") }
        return try lines()
    }

    /// A line for each packet taken so far.
    func lines() throws -> [String] {
        let text = try box.run(["tcpdump", "-e", "-n", "-r", box.file(file)])
        return text.lines.filter { !$0.isEmpty }
    }

    /// Waits for a packet, and ends.
    func end(after text: String) throws -> [String] {
        _ = Clock.waitUntil { ((try? lines()) ?? []).contains { $0.contains(text) } }
        return try end()
    }
}

/// Programs for boxes, in Python.
enum PortScripts {
    /// Answers "ok" on TCP 80 and 81 and UDP 53 and 54, of IPv4 and IPv6 alike.
    static let server = """
        import select, socket
        def make(kind, port):
            s = socket.socket(socket.AF_INET6, kind); s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("::", port))
            if kind == socket.SOCK_STREAM: s.listen()
            return s
        tcp = [make(socket.SOCK_STREAM, p) for p in (80, 81)]
        udp = [make(socket.SOCK_DGRAM, p) for p in (53, 54)]
        print("ready", flush=True)
        while True:
            for s in select.select(tcp + udp, [], [])[0]:
                if s in tcp:
                    c, _ = s.accept(); c.sendall(b"ok"); c.close()
                else:
                    _, who = s.recvfrom(99); s.sendto(b"ok", who)
        """

    /// Words: `tcp` or `udp`, an address, a port. Prints what comes, or why nothing does.
    static let client = """
        import socket, sys
        kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
        family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
        s = socket.socket(family, kind); s.settimeout(float(sys.argv[4]) if len(sys.argv) > 4 else 1)
        try:
            s.connect((sys.argv[2], int(sys.argv[3])))
            if sys.argv[1] == "udp": s.send(b"?")
            print(s.recv(9).decode())
        except OSError as e: print(type(e).__name__)
        """

    /// Sends each word, a frame in hexadecimal, out of eth0 as it is.
    static let frames = """
        import socket, sys
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
        for frame in sys.argv[1:]: s.send(bytes.fromhex(frame))
        """
}

extension RunningSandbox {
    /// What a client in it gets.
    func ask(_ transport: String, _ address: String, _ port: Int) throws -> String {
        try exec([], ["python3", "-c", PortScripts.client, transport, address, "\(port)"]).text
    }

    func ping(_ address: String) throws -> Bool {
        try exec([], ["ping", "-n", "-c", "1", "-W", "1", address]).succeeded
    }

    func send(_ frames: [String]) throws {
        let outcome = try exec([], ["python3", "-c", PortScripts.frames] + frames)
        guard outcome.succeeded else { throw Failure(saying: "\(outcome)") }
    }
}

/// Frames of Ethernet, in hexadecimal.
enum Frames {
    static func ethernet(to: String, from: String, _ type: String, _ payload: String) -> String {
        hex(to) + hex(from) + type + payload
    }

    /// An answer that the address is at `mac` (RFC 826).
    static func arp(_ address: String, at mac: String, to: String, sender: String? = nil) -> String {
        ethernet(
            to: to, from: sender ?? mac, "0806",
            "0001" + "0800" + "0604" + "0002" + hex(mac) + quad(address) + hex(to) + quad(address))
    }

    /// UDP from one port to another, without check sums.
    static func udp(_ source: String, _ target: String, to: String, from: String) -> String {
        ethernet(
            to: to, from: from, "0800",
            "4500001c" + "00000000" + "40110000" + quad(source) + quad(target) + "12341235" + "00080000")
    }

    /// ICMPv6 of a type, `body` behind the check sum, which is wrong: nobody on the way looks at it.
    static func icmpv6(_ source: String, _ target: String, type: String, _ body: String, to: String, from: String)
        -> String
    {
        let message = type + "000000" + body
        let length = String(message.utf8.count / 2, radix: 16)
        let padded = String(repeating: "0", count: 4 - length.utf8.count) + length
        return ethernet(to: to, from: from, "86dd", "60000000" + padded + "3aff" + source + target + message)
    }

    static func hex(_ mac: String) -> String { mac.split(separator: ":").joined() }

    static func quad(_ address: String) -> String {
        address.split(separator: ".").map { part in
            let digits = String(Int(part) ?? 0, radix: 16)
            return digits.utf8.count < 2 ? "0" + digits : digits
        }.joined()
    }
}
