import Glibc
import Testing

private let hasBusPrograms = ["dbus-daemon", "dbus-send", "xdg-dbus-proxy", "python3"]
    .allSatisfy { Machine.hasProgram($0) }

extension Integration {
    /// Filtered message buses, with a real bus and real services outside.
    @Suite(
        "Filtered message buses",
        .enabled(if: hasBusPrograms, "needs dbus-daemon, dbus-send, xdg-dbus-proxy and python3: .ci/deps"))
    struct DBusTests {
        /// Takes a name on a bus, and answers every call there.
        fileprivate static let service = """
            import os, socket, struct, sys
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(sys.argv[1])
            peer.sendall(b"\\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\\r\\n")
            assert peer.recv(4096).startswith(b"OK")
            peer.sendall(b"BEGIN\\r\\n")
            def padded(data, to): return data + b"\\0" * (-len(data) % to)
            def text(value): return struct.pack("<I", len(value)) + value.encode() + b"\\0"
            def message(kind, serial, fields, signature="", body=b""):
                if signature: fields = fields + [(8, "g", signature)]
                array = b""
                for code, form, value in fields:
                    array = padded(array, 8) + bytes([code, 1]) + form.encode() + b"\\0"
                    if form == "u": array = padded(array, 4) + struct.pack("<I", value)
                    elif form == "g": array += bytes([len(value)]) + value.encode() + b"\\0"
                    else: array = padded(array, 4) + text(value)
                head = b"l" + bytes([kind, 0, 1]) + struct.pack("<III", len(body), serial, len(array)) + array
                peer.sendall(padded(head, 8) + body)
            def call(serial, method, *rest):
                bus = "org.freedesktop.DBus"
                message(1, serial, [(1, "o", "/org/freedesktop/DBus"), (2, "s", bus), (3, "s", method), (6, "s", bus)], *rest)
            def read(count):
                data = b""
                while len(data) < count:
                    part = peer.recv(count - len(data))
                    if not part: sys.exit(0)
                    data += part
                return data
            call(1, "Hello")
            call(2, "RequestName", "su", padded(text(sys.argv[2]), 4) + struct.pack("<I", 0))
            serial = 2
            while True:
                start = read(16)
                length, number, size = struct.unpack("<III", start[4:])
                fields, sender, place = read(size + -size % 8), None, 0
                read(length)
                while place < size:
                    place += -place % 8
                    code, form = fields[place], fields[place + 2:place + 3]
                    place += 4
                    if form == b"g": place += fields[place] + 2; continue
                    place += -place % 4
                    value = struct.unpack("<I", fields[place:place + 4])[0]
                    place += 4
                    if form == b"u": continue
                    if code == 7: sender = fields[place:place + value].decode()
                    place += value + 1
                if start[1] != 1: continue
                serial += 1
                message(2, serial, [(5, "u", number), (6, "s", sender)])
            """

        /// A bus of the test's own, with two services.
        private final class Bus {
            let box: Box
            let environment: [String: String]

            init(as caller: Caller = .root) throws {
                // A bus is only for who has an account: daemon, of base-passwd.
                box = try Box(as: caller == .user ? 1 : nil)
                let path = box.path + "/run/bus"
                environment = ["DBUS_SESSION_BUS_ADDRESS": "unix:path=\(path)"]
                _ = try box.folder("run")
                _ = try box.start(
                    [
                        "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address",
                        "--address=unix:path=\(path)",
                    ],
                    name: "bus")
                try #require(box.waitForOutput("unix:", name: "bus"), "\(box.output("bus"))")
                let script = try box.write("service.py", DBusTests.service)
                for name in ["org.example.Allowed", "org.example.Other"] {
                    _ = try box.start(["python3", script, path, name], name: name)
                    let answers = try Clock.waitUntil {
                        try box.run(DBusTests.ask(name), environment: environment).succeeded
                    }
                    try #require(answers, "\(box.output(name))")
                }
            }

            func launch(_ toml: String, _ options: [String] = [], _ command: [String]) throws -> Outcome {
                try box.launch(toml, options, command, environment: environment)
            }

            /// The proxies that the test's boxes have.
            var proxies: [pid_t] {
                Processes.all.filter { pid in
                    let words = Processes.command(pid)
                    return words.first == "xdg-dbus-proxy" && words.contains { $0.contains(box.path) }
                }
            }

            func hasNoProxy() -> Bool { Clock.waitUntil { proxies.isEmpty } }
        }

        fileprivate static func ask(_ name: String) -> [String] {
            [
                "dbus-send", "--session", "--print-reply", "--reply-timeout=5000", "--dest=\(name)", "/",
                "org.example.Some.Thing",
            ]
        }

        fileprivate static let names = [
            "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/",
            "org.freedesktop.DBus.ListNames",
        ]

        private static let profile = """
            [namespaces]
            unshare = ["mount", "pid"]
            [filesystem]
            private = ["tmp", "run"]
            [dbus]
            session = "filtered"
            talk = ["org.example.Allowed"]
            """

        @Test("what is listed answers, the rest is not even seen", arguments: Caller.all)
        func filtered(caller: Caller) throws {
            let bus = try Bus(as: caller)
            let allowed = try bus.launch(Self.profile, [], Self.ask("org.example.Allowed"))
            #expect(allowed.succeeded && allowed.out.contains("method return"), "\(allowed)")
            let other = try bus.launch(Self.profile, [], Self.ask("org.example.Other"))
            #expect(!other.succeeded && other.err.contains("ServiceUnknown"), "\(other)")
            let seen = try bus.launch(Self.profile, [], Self.names)
            #expect(seen.out.contains("org.example.Allowed") && !seen.out.contains("org.example.Other"), "\(seen)")
            // Without a filter both answer, and both are seen.
            let open = "[namespaces]\nunshare = [\"mount\", \"pid\"]"
            #expect(try bus.launch(open, [], Self.ask("org.example.Other")).succeeded)
            #expect(try bus.launch(open, [], Self.names).out.contains("org.example.Other"))
            #expect(bus.hasNoProxy())
        }

        @Test("the host's own socket is out of reach, and so is the proxy")
        func noWayAround() throws {
            let bus = try Bus()
            let profile = Self.profile.replacing("\"tmp\", \"run\"", with: "\"run\"")
            let path = bus.box.path + "/run/bus"
            let direct = Self.ask("org.example.Other").map { $0 == "--session" ? "--bus=unix:path=\(path)" : $0 }
            #expect(!(try bus.launch(profile, [], direct)).succeeded)
            #expect(try bus.launch("[namespaces]\nunshare = [\"mount\", \"pid\"]", [], direct).succeeded)
            let processes = try bus.launch(
                profile, [], ["sh", "-c", "cat /proc/*/cmdline | tr '\\0' ' '; ls -A /run/dbus"])
            #expect(!processes.out.contains("xdg-dbus-proxy") && processes.out.hasSuffix("session\n"), "\(processes)")
            let none = profile.replacing("\"filtered\"", with: "\"none\"").replacing(
                "talk = [\"org.example.Allowed\"]", with: "")
            #expect(!(try bus.launch(none, [], direct)).succeeded)
            #expect(try bus.launch(none, [], ["sh", "-c", "echo ${DBUS_SESSION_BUS_ADDRESS-unset}"]).text == "unset")
        }

        @Test("the proxy is confined and has the box's user")
        func confined() throws {
            let bus = try Bus()
            let begun = try bus.launch(Self.profile, ["-d", "-n", "desk"], ["sleep", "1000"])
            try #require(begun.succeeded, "\(begun)")
            let proxy = try #require(bus.proxies.first)
            #expect(Processes.status(proxy, "CapEff") == "0000000000000000")
            #expect(Processes.status(proxy, "Seccomp") == "2" && Processes.status(proxy, "NoNewPrivs") == "1")
            for kind in ["mnt", "net", "ipc"] {
                #expect(Processes.namespace(kind, of: "\(proxy)") != Processes.namespace(kind), "\(kind)")
            }
            #expect(Processes.namespace("pid", of: "\(proxy)") == Processes.namespace("pid"))
            #expect(Files.list("/proc/\(proxy)/root/root").isEmpty)
            #expect(try bus.box.sandbox(["rm", "-f", "desk"]).succeeded)
            #expect(bus.hasNoProxy())
            let user = Self.profile + "\n[process]\nuser = \"nobody\""
            let named = try bus.launch(user, ["-d", "-n", "desk"], ["sleep", "1000"])
            try #require(named.succeeded, "\(named)")
            let other = try #require(bus.proxies.first)
            #expect(Processes.status(other, "Uid") == "65534 65534 65534 65534")
            #expect(try bus.box.sandbox(["rm", "-f", "desk"]).succeeded)
            #expect(bus.hasNoProxy())
        }

        @Test("what enters the box later has the same bus")
        func entered() throws {
            let bus = try Bus()
            try #require(try bus.launch(Self.profile, ["-d", "-n", "desk"], ["sleep", "1000"]).succeeded)
            #expect(try bus.box.sandbox(["exec", "desk", "--"] + Self.ask("org.example.Allowed")).succeeded)
            #expect(!(try bus.box.sandbox(["exec", "desk", "--"] + Self.ask("org.example.Other"))).succeeded)
            #expect(try bus.box.sandbox(["rm", "-f", "desk"]).succeeded)
        }

        @Test("whoever is killed, no proxy stays", arguments: ["waiter", "box", "proxy"])
        func killed(who: String) throws {
            let bus = try Bus()
            try #require(try bus.launch(Self.profile, ["-d", "-n", "desk"], ["sleep", "1000"]).succeeded)
            let proxy = try #require(bus.proxies.first)
            let waiter = try #require(Processes.status(proxy, "PPid").flatMap { pid_t($0) })
            switch who {
            case "waiter": kill(waiter, SIGKILL)
            case "box":
                let inits = Processes.children(of: waiter).filter { $0 != proxy }
                for pid in inits { kill(pid, SIGKILL) }
            default:
                kill(proxy, SIGKILL)
                #expect(bus.hasNoProxy())
                // Without it there is no bus, and the rest goes on.
                #expect(!(try bus.box.sandbox(["exec", "desk", "--"] + Self.ask("org.example.Allowed"))).succeeded)
                #expect(try bus.box.sandbox(["exec", "desk", "--", "true"]).succeeded)
            }
            #expect(bus.hasNoProxy())
            #expect(try bus.box.sandbox(["rm", "-f", "desk"]).succeeded)
        }

        @Test("a sandbox that begins anew has a proxy anew")
        func anew() throws {
            let bus = try Bus()
            let script =
                "test -e /var/tmp/never; dbus-send --session --print-reply --dest=org.example.Allowed / a.b.C; sleep 0.3; exit 1"
            let profile = Self.profile + "\n[lifecycle]\nrestart = \"on-failure:1\"\nrestart-delay = \"10ms\""
            try #require(try bus.launch(profile, ["-d", "-n", "desk"], ["sh", "-c", script]).succeeded)
            _ = try bus.box.sandbox(["wait", "desk"])
            let log = try bus.box.sandbox(["logs", "desk"])
            #expect(log.out.split(separator: "\n").filter { $0.contains("method return") }.count == 2, "\(log)")
            #expect(bus.hasNoProxy())
            #expect(try bus.box.sandbox(["rm", "-f", "desk"]).succeeded)
        }

        @Test("without the program, or without a bus, nothing begins")
        func refused() throws {
            let bus = try Bus()
            let words = ["run"] + (try bus.box.profile(Self.profile)) + ["--", "/bin/true"]
            let lacking = try bus.box.sandbox(
                words, environment: bus.environment.merging(["PATH": try bus.box.folder("empty")]) { $1 })
            expectRefused(lacking, naming: "dbus.session", "xdg-dbus-proxy is not installed", "install the package")
            let gone = ["DBUS_SESSION_BUS_ADDRESS": "unix:path=\(bus.box.path)/run/none"]
            expectRefused(
                try bus.box.launch(Self.profile, [], ["true"], environment: gone), naming: "dbus.session", "run/none")
            let mapped =
                Self.profile.replacing("[\"mount\"", with: "[\"user\", \"mount\"")
                + "\n[security]\nuid-map = [\"0 100000 65536\"]\ngid-map = [\"0 100000 65536\"]"
            expectRefused(try bus.launch(mapped, [], ["true"]), naming: "dbus.session", "0 inside and 100000 outside")
            #expect(bus.hasNoProxy())
        }

        @Test("what keeps it from being saved is told by its key", .needsRoot)
        func saved() throws {
            let bus = try Bus()
            try #require(try bus.launch(Self.profile, ["-d", "-n", "desk"], ["sleep", "1000"]).succeeded)
            let check = try bus.box.sandbox(["checkpoint", "desk", "--check"])
            #expect(!check.succeeded && (check.out + check.err).contains("dbus.session"), "\(check)")
            #expect(try bus.box.sandbox(["rm", "-f", "desk"]).succeeded)
            let enabled = Self.profile + "\n[checkpoint]\nenabled = true"
            expectRefused(try bus.launch(enabled, [], ["true"]), naming: "dbus.session", "cannot be saved")
        }

        @Test("a dry run says what passes")
        func dryRun() throws {
            let bus = try Bus()
            let text = try bus.launch(Self.profile, ["--dry-run"], ["true"])
            #expect(text.out.contains("D-Bus") && text.out.contains("--talk=org.example.Allowed"), "\(text)")
            let json = try bus.launch(Self.profile, ["--dry-run", "--json"], ["true"])
            #expect(json.out.contains("/run/dbus/session"), "\(json)")
        }
    }
}
