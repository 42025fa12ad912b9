import Glibc
import Testing

extension Integration {
    /// Issue 5's fourth show, and how the allow-list could be walked around.
    @Suite(
        "Proxy for HTTP and TLS", .needsRoot, .needsProgram("haproxy"), .needsProgram("nft"), .needsProgram("python3"),
        .needsProgram("curl"), .needsProgram("openssl"), .needsProgram("dnsmasq"))
    struct HostProxyTests {
        let lan: NamedSwitch

        init() throws {
            lan = try NamedSwitch(["--subnet", "10.77.2.0/24", "--subnet", "fd78::/64"])
            let (key, certificate) = (lan.box.file("key.pem"), lan.box.file("certificate.pem"))
            try lan.box.must([
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                "-days",
                "2", "-subj", "/CN=test",
            ])
            for name in ["good", "bad", "a.wide"] {
                try lan.start(name, [], ["python3", "-c", HostProxyTests.server, name, certificate, key])
            }
            try lan.start("client", ["--chain", "http-proxy?allow=good.lan,*.wide.lan"])
            for name in ["good", "bad", "a.wide"] {
                #expect(try Clock.waitUntil { try ask(["http://\(name).lan:8080/"]).hasPrefix(name) })
            }
        }

        private func ask(_ words: [String]) throws -> String {
            let outcome = try lan.box.sandbox(["exec", "client", "--", "curl", "-sS", "-k", "--max-time", "8"] + words)
            return outcome.succeeded ? outcome.text : "curl: \(outcome.status)"
        }

        /// The status of an answer.
        private func status(_ words: [String]) throws -> String {
            try ask(["-o", "/dev/null", "-w", "%{http_code}"] + words)
        }

        @Test("allowed hosts are reached over HTTP and TLS, others are not", arguments: ["-4", "-6"])
        func show(family: String) throws {
            for scheme in ["http", "https"] {
                #expect(try ask([family, "\(scheme)://good.lan/"]) == "good")
                #expect(try ask([family, "\(scheme)://GOOD.lan/"]) == "good")
                #expect(try ask([family, "\(scheme)://a.wide.lan/"]) == "a.wide")
            }
            #expect(try status([family, "http://bad.lan/"]) == "403")
            // 35: TLS did not come about.
            #expect(try ask([family, "https://bad.lan/"]) == "curl: 35")
            #expect(try status([family, "http://nobody.wide.lan/", "--connect-to", "::good.lan:"]) == "502")
            // Of other ports nothing was said.
            #expect(try ask([family, "http://bad.lan:8080/"]) == "bad")
            let log = try lan.box.sandbox(["logs", "client.http-proxy"]).out
            #expect(log.contains("403") && !log.contains(" 200 "), "the log tells what was refused")
            lan.end()
        }

        @Test("a false name leads to the host of that name, wherever the client calls") func lies() throws {
            let bad = try lan.ask("bad.lan").first ?? ""
            #expect(try ask(["-H", "Host: good.lan", "http://bad.lan/"]) == "good")
            #expect(try ask(["-H", "Host: good.lan:80", "http://\(bad)/"]) == "good")
            #expect(try ask(["--connect-to", "good.lan:443:\(bad):443", "https://good.lan/"]) == "good")
            #expect(try status(["-H", "Host: bad.lan", "http://good.lan/"]) == "403")
            #expect(try ask(["--connect-to", "bad.lan:443:good.lan:443", "https://bad.lan/"]) == "curl: 35")
            for (option, host) in [
                ("Host:", "good.lan"), ("Host: wide.lan", "good.lan"), ("Host: xgood.lan", "good.lan"),
            ] {
                #expect(["400", "403"].contains(try status(["-H", option, "http://\(host)/"])), "\(option)")
            }
            // Without a name, by a tunnel, and with one name in the line and another behind it.
            #expect(try ask(["https://\(bad)/"]) == "curl: 35")
            #expect(try status(["-X", "CONNECT", "-H", "Host: good.lan", "http://good.lan/"]) != "200")
            let line = ["--request-target", "http://bad.lan/", "-H", "Host: good.lan", "http://good.lan/"]
            #expect(["good", "curl: 22"].contains(try ask(["-f"] + line)))
            // What speaks neither.
            let raw =
                "import socket; s = socket.create_connection(('\(bad)', 443), 5); s.settimeout(15);"
                + "s.sendall(b'SSH-2.0-x\\r\\n\\r\\n'); print(s.recv(99))"
            let outcome = try lan.box.sandbox(["exec", "client", "--", "python3", "-c", raw])
            #expect(outcome.text == "b''" || outcome.err.contains("Reset"), "\(outcome)")
            lan.end()
        }

        @Test("HTTP/3 is refused, and so is TCP in parts that hide what they are") func others() throws {
            let bad = try lan.ask("bad.lan").first ?? ""
            let datagram =
                "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5);"
                + "s.connect(('\(bad)', 443)); s.send(b'x'); s.recv(9)"
            let outcome = try lan.box.sandbox(["exec", "client", "--", "python3", "-c", datagram])
            #expect(outcome.err.contains("ConnectionRefusedError"), "\(outcome)")
            let parts = try lan.box.sandbox(["exec", "client", "--", "python3", "-c", HostProxyTests.parts, bad])
            #expect(parts.text == "nothing", "\(parts)")
            lan.end()
        }

        @Test("what is no host's name is refused, and it cannot write, nor hold more than its port") func confined()
            throws
        {
            for (reference, words) in [
                ("http-proxy", "lacks the parameter \"allow\""), ("http-proxy?allow=a_b.c,-x.org", "names of hosts"),
                ("http-proxy?allow=*.*.org", "names of hosts"), ("http-proxy?allow=a/b", "names of hosts"),
            ] {
                expectRefused(try lan.box.sandbox(["chain", "insert", "client", reference]), naming: words)
            }
            let script = "grep -E '^(Uid|CapBnd|NoNewPrivs|Seccomp):' /proc/1/status; touch /etc/x 2>&1"
            let outcome = try lan.box.sandbox(["exec", "client.http-proxy", "--", "/bin/sh", "-c", script])
            #expect(outcome.out.contains("CapBnd:\t0000000000000400"), "\(outcome)")
            #expect(outcome.out.contains("NoNewPrivs:\t1") && outcome.out.contains("Seccomp:\t2"), "\(outcome)")
            #expect(outcome.out.contains("Uid:\t65534") && !outcome.succeeded, "\(outcome)")
            lan.end()
        }

        /// Tells its name, over HTTP on ports 80 and 8080 and over TLS on 443.
        private static let server = """
            import http.server, socket, ssl, sys, threading
            name = sys.argv[1]
            class Answer(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200); self.send_header("Content-Length", str(len(name))); self.end_headers()
                    self.wfile.write(name.encode())
                def log_message(self, *a): pass
            class Server(http.server.ThreadingHTTPServer):
                address_family = socket.AF_INET6
            def run(port, secure):
                s = Server(("::", port), Answer)
                if secure:
                    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain(sys.argv[2], sys.argv[3])
                    s.socket = c.wrap_socket(s.socket, server_side=True)
                s.serve_forever()
            for port, secure in ((80, False), (443, True)): threading.Thread(target=run, args=(port, secure)).start()
            run(8080, False)
            """

        /// A SYN to port 443 whose flags come in a second part, sent as it is; tells whether anybody answers.
        private static let parts = """
            import socket, struct, sys, time
            me = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); me.connect((sys.argv[1], 9)); own = me.getsockname()[0]
            def check(b):
                if len(b) % 2: b += b"\\0"
                s = sum(struct.unpack(">%dH" % (len(b) // 2), b))
                while s >> 16: s = (s & 0xffff) + (s >> 16)
                return ~s & 0xffff
            head = struct.pack(">HHIIBBHHH", 40000, 443, 1, 0, 0x50, 2, 1000, 0, 0)
            false = socket.inet_aton(own) + socket.inet_aton(sys.argv[1]) + struct.pack(">BBH", 0, 6, len(head))
            head = head[:16] + struct.pack(">H", check(false + head)) + head[18:]
            out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            back = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP); back.settimeout(2)
            for offset, part, more in ((0, head[:8], 0x2000), (8, head[8:], 0)):
                ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(part), 77, more | offset // 8, 64, 6, 0,
                    socket.inet_aton(own), socket.inet_aton(sys.argv[1]))
                out.sendto(ip + part, (sys.argv[1], 0))
            try:
                while True:
                    d, _ = back.recvfrom(999)
                    if struct.unpack(">HH", d[20:24]) == (443, 40000): print("answered"); break
            except OSError: print("nothing")
            """
    }
}
