import Glibc
import Testing

extension Integration {
    @Suite("A network by the caller's own sockets", .needsProgram("pasta"), .needsProgram("python3"))
    struct UserNetworkTests {
        let box: Box
        let host: TestHost

        /// A host with an outside, 10.73.0.1, that it has its default route to.
        init() throws {
            box = try Box()
            host = try TestHost(box, "host")
            let far = "\(host.name)-far"
            try box.must(["ip", "netns", "add", far])
            try host.ip("link", "add", "up0", "type", "veth", "peer", "name", "far0", "netns", far)
            try host.ip("address", "add", "10.73.0.2/24", "dev", "up0")
            try host.ip("link", "set", "up0", "up")
            try box.must(["ip", "-n", far, "address", "add", "10.73.0.1/24", "dev", "far0"])
            try box.must(["ip", "-n", far, "link", "set", "far0", "up"])
            try host.ip("route", "add", "default", "via", "10.73.0.1")
        }

        private func isPasta(_ pid: pid_t) -> Bool { Processes.command(pid).contains("--config-net") }

        private func end() {
            host.end(boxes: ["one"])
            _ = try? box.run(["ip", "netns", "delete", "\(host.name)-far"])
        }

        /// A server that answers each connection with a word, in a namespace of ip-netns(8).
        private func serve(_ namespace: String, _ address: String, _ port: Int) throws {
            let script = """
                import socket
                s = socket.create_server(("\(address)", \(port)))
                print("ready", flush=True)
                while True:
                    c, a = s.accept(); c.sendall(b"hello"); c.close()
                """
            _ = try box.start(
                ["nsenter", "--net=/run/netns/\(namespace)", "python3", "-c", script], name: "server\(port)")
            #expect(box.waitForOutput("ready", name: "server\(port)"))
        }

        private func ask(_ address: String, _ port: Int) -> [String] {
            let script = "import socket; print(socket.create_connection((\"\(address)\", \(port)), 5).recv(9).decode())"
            return ["python3", "-c", script]
        }

        @Test("reaches out, but not the host's loopback, and dies with its box", .needsRoot) func outbound() throws {
            defer { end() }
            try serve("\(host.name)-far", "10.73.0.1", 8001)
            try serve(host.name, "127.0.0.1", 8002)
            try host.sleeper("one", ["--attach", "user"])
            expectOutput(try host.exec("one", ask("10.73.0.1", 8001)), "hello")
            #expect(try !host.exec("one", ask("127.0.0.1", 8002)).succeeded)
            #expect(try !host.exec("one", ask("10.73.0.1", 8002)).succeeded)
            // The one beside the box carries the mark, and pasta is its child.
            let keepers = Processes.marked(Leaks.variable, box.mark)
            let pasta = keepers.flatMap { Processes.children(of: $0) }.filter { isPasta($0) }
            #expect(pasta.count == 1)
            try host.must("stop", "one")
            #expect(Clock.waitUntil { pasta.allSatisfy { !isPasta($0) } })
        }

        @Test("publishes ports", .needsRoot) func published() throws {
            defer { end() }
            let script = """
                import socket
                s = socket.create_server(("0.0.0.0", 80))
                while True:
                    c, a = s.accept(); c.sendall(b"inside"); c.close()
                """
            let words =
                ["run", "-d", "-n", "one", "--unshare", "net", "--attach", "user"]
                + set("network.publish", "[\"127.0.0.1:8080:80/tcp\"]") + ["--", "python3", "-c", script]
            #expect(try host.sandbox(words).succeeded)
            #expect(Clock.waitUntil { (try? host.run(ask("127.0.0.1", 8080)).text) == "inside" })
            let taken = ["--attach", "user"] + set("network.publish", "[\"127.0.0.1:8080:80/tcp\"]")
            expectRefused(try host.inBox(taken, ["true"]), naming: "network", "8080")
        }

        @Test(
            "works without root where /dev/net/tun may be opened, and says so where not", .needsRoot,
            .needsUserNamespaces)
        func rootless() throws {
            defer { end() }
            try serve("\(host.name)-far", "10.73.0.1", 8003)
            let user = ["setpriv", "--reuid=\(Box.user)", "--regid=\(Box.user)", "--clear-groups", "--"]
            let home = try box.folder("user")
            chown(home, Box.user, Box.user)
            let launch = [
                "env", "SANDBOX_STATE=\(home)/state", "HOME=\(home)", Binary.shared, "run", "--unshare", "net",
                "--attach",
                "user", "--",
            ]
            let closed = "mount -t tmpfs none /dev/net && mknod -m 600 /dev/net/tun c 10 200 && exec \"$@\""
            let open = closed.split(separator: "600").joined(separator: "666")
            chmod(box.path, 0o755)
            let refused = try host.run(["unshare", "-m", "sh", "-c", closed, "sh"] + user + launch + ["true"])
            expectRefused(refused, naming: "network.attach", "/dev/net/tun", "chmod")
            let answered = try host.run(
                ["unshare", "-m", "sh", "-c", open, "sh"] + user + launch + ask("10.73.0.1", 8003))
            expectOutput(answered, "hello")
        }
    }
}
