import Glibc
import Testing

extension Integration {
    @Suite("Names on a switch", .needsRoot, .needsProgram("dnsmasq"), .needsProgram("nft"))
    struct NameTests {
        private static let both = ["--subnet", "10.77.1.0/24", "--subnet", "fd77::/64"]

        @Test(
            "a web server, a store and a client find one another",
            .needsProgram("nginx"), .needsProgram("redis-server"), .needsProgram("curl"))
        func three() throws {
            let lan = try NamedSwitch(NameTests.both)
            defer { lan.end() }
            let temporary = ["/var/lib/nginx", "/var/log/nginx", "/var/lib/redis", "/run"].flatMap { ["--tmpfs", $0] }
            try lan.start("web", temporary, ["nginx", "-g", "daemon off;"])
            try lan.start(
                "store", temporary,
                [
                    "redis-server", "--bind", "*", "-::*", "--protected-mode", "no", "--save", "", "--dir",
                    "/var/lib/redis",
                ])
            try lan.start("client")
            for script in [
                "curl -sS -4 -o /dev/null --retry 40 --retry-delay 0 --retry-connrefused --max-time 10 http://web/",
                "curl -sS -4 -o /dev/null --max-time 10 http://web.lan/",
                "redis-cli -h store ping | grep -q PONG", "redis-cli -h store.lan ping | grep -q PONG",
            ] {
                let outcome = try lan.box.sandbox(["exec", "client", "--", "/bin/sh", "-c", script])
                #expect(outcome.succeeded, "\(script): \(outcome)")
            }
            // The others find the client, and an address leads back to the full name.
            for (asker, name) in [("web", "client"), ("store", "web"), ("web", "store")] {
                for database in ["ahostsv4", "ahostsv6"] {
                    let script = "getent hosts $(getent \(database) \(name) | head -n 1 | cut -d ' ' -f 1)"
                    let outcome = try lan.box.sandbox(["exec", asker, "--", "/bin/sh", "-c", script])
                    #expect(outcome.out.contains(" \(name).lan"), "\(asker), \(name), \(database): \(outcome)")
                }
            }
        }

        @Test("a name without its address is no name, and other names are refused at once") func unknown() throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24", "--domain", "home.test"])
            defer { lan.end() }
            try lan.start("web", ["--address", "10.77.1.9/24"])
            #expect(try lan.ask("web").first == "10.77.1.9")
            #expect(try lan.ask("web.home.test").first == "10.77.1.9")
            #expect(try lan.ask("10.77.1.9", "hosts") == ["10.77.1.9", "web.home.test"])
            for name in ["nobody", "web.lan", "example.org"] {
                // 2: not found; a server that does not answer would be waited for.
                let outcome = try lan.shell("timeout 4 getent hosts \(name)")
                #expect(outcome.status == 2, "\(name): \(outcome)")
            }
        }

        @Test("a sandbox is not taken for what its name says elsewhere") func dotted() throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            try lan.start("example.org", ["--address", "10.77.1.9/24"])
            #expect(try lan.ask("example.org.").isEmpty)
            #expect(try lan.ask("example.org.lan.").first == "10.77.1.9")
        }

        @Test("IPv6 alone") func v6() throws {
            let lan = try NamedSwitch(["--subnet", "fd77::/64"])
            defer { lan.end() }
            try lan.start("web", ["--address", "fd77::9/64"])
            #expect(try lan.ask("web", "ahostsv6").first == "fd77::9")
            #expect(try lan.ask("fd77::9", "hosts") == ["fd77::9", "web.lan"])
        }

        @Test("a name is gone with its box, however that ends, and another's address takes its place")
        func goneAfterEnd() throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            try lan.start("web")
            let first = try lan.ask("web").first
            #expect(first != nil)
            try lan.box.must([lan.box.binary, "stop", "-t", "0", "web"])
            #expect(try lan.ask("web").isEmpty)
            try lan.start("web")
            let second = try lan.ask("web").first
            #expect(second != nil && second != first)
            // One that begins anew by itself.
            try lan.start("store", ["--set", "lifecycle.restart=always"])
            let before = try lan.ask("store").first
            let application = try #require(lan.box.recorded("application", of: "store"))
            kill(application.pid, SIGKILL)
            let hasMoved = try Clock.waitUntil {
                let now = try lan.ask("store").first
                return now != nil && now != before
            }
            #expect(hasMoved)
            #expect(Files.list(lan.box.file("state/switches/lan/hosts")).count == 2)
        }

        @Test("a name whose port is gone is swept") func sweep() throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            let folder = lan.box.file("state/switches/lan/hosts")
            try Files.write("10.77.1.200 ghost.lan ghost\n", to: folder + "/.new")
            rename(folder + "/.new", folder + "/p4000")
            let isKnown = try Clock.waitUntil { try lan.ask("ghost").first == "10.77.1.200" }
            #expect(isKnown)
            let swept = try lan.box.sandbox(["gc"])
            #expect(swept.succeeded && swept.out.contains("hosts/p4000"), "\(swept)")
            let isGone = try Clock.waitUntil { try lan.ask("ghost").isEmpty }
            #expect(isGone)
        }

        @Test("a launch that fails at a later interface leaves no name") func failedLaunch() throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            let more = "network.more=[{ switch = \"lan\", address = \"10.77.1.1/24\" }]"
            let outcome = try lan.box.sandbox(
                ["run", "-n", "web", "--unshare", "net,mount", "--switch", "lan", "--set", more, "--", "true"])
            expectRefused(outcome, naming: "network.more[0].address", "10.77.1.1")
            #expect(Files.list(lan.box.file("state/switches/lan/hosts")).isEmpty)
        }

        // MARK: - resolv.conf

        @Test("resolv.conf is the box's own, and the host's stays as it is") func resolvConf() throws {
            let lan = try NamedSwitch(NameTests.both)
            defer { lan.end() }
            let host = Files.read("/etc/resolv.conf")
            expectOutput(
                try lan.shell("cat /etc/resolv.conf"), "search lan\nnameserver 10.77.1.1\nnameserver fd77::1")
            expectOutput(
                try lan.shell("cat /etc/resolv.conf", ["--set", "network.dns=[\"192.0.2.1\", \"auto\"]"]),
                "search lan\nnameserver 192.0.2.1\nnameserver 10.77.1.1\nnameserver fd77::1")
            expectOutput(
                try lan.shell("cat /etc/resolv.conf", ["--set", "network.dns=[\"192.0.2.1\"]"]),
                "nameserver 192.0.2.1")
            expectOutput(try lan.shell("cat /etc/resolv.conf", ["--set", "network.dns=[]"]), host?.trimmed ?? "")
            #expect(Files.read("/etc/resolv.conf") == host)
            // Without a mount namespace it would be the host's.
            let bare = ["run", "--unshare", "net", "--switch", "lan"]
            expectOutput(
                try lan.box.sandbox(bare + ["--", "cat", "/etc/resolv.conf"]), host?.trimmed ?? "")
            expectRefused(
                try lan.box.sandbox(bare + ["--set", "network.dns=[\"192.0.2.1\"]", "--", "true"]),
                naming: "network.dns", "mount namespace")
        }

        @Test(
            "resolv.conf where the host's is a symbolic link that leads somewhere, or nowhere",
            arguments: ["/etc/hostname", "../run/nowhere/resolv.conf"])
        func symbolicLink(target: String) throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            let script = """
                cp -a /etc \(lan.box.path)/etc && ln -sf \(target) \(lan.box.path)/etc/resolv.conf &&
                mount --bind \(lan.box.path)/etc /etc &&
                \(lan.box.binary) run --unshare net,mount --read-only / --private run --switch lan -- \
                sh -c 'cat /etc/resolv.conf; cat /etc/hostname | grep -c nameserver; true' &&
                readlink /etc/resolv.conf
                """
            let outcome = try lan.box.run(["unshare", "--mount", "sh", "-c", script])
            expectOutput(outcome, "search lan\nnameserver 10.77.1.1\n0\n\(target)")
        }

        // MARK: - The name server itself

        @Test("the name server is nobody, with one capability, and sees names and programs alone") func confined()
            throws
        {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            let server = lan.serverProcess
            #expect(Processes.command(server).first?.hasSuffix("/dnsmasq") == true)
            #expect(Processes.status(server, "Uid") == "65534 65534 65534 65534")
            #expect(Processes.status(server, "CapBnd") == "0000000000000400")
            #expect(Processes.status(server, "CapEff") == "0000000000000400")
            #expect(Processes.status(server, "NoNewPrivs") == "1" && Processes.status(server, "Seccomp") == "2")
            #expect(Files.list("/proc/\(server)/root/run") == ["names"])
            for hidden in ["/var", "/root", "/home", "/sys", "/tmp"] {
                #expect(Files.list("/proc/\(server)/root\(hidden)").isEmpty, "\(hidden)")
            }
            for kind in ["mnt", "pid", "net", "ipc", "uts"] {
                #expect(Processes.namespace(kind, of: "\(server)") != Processes.namespace(kind), "\(kind)")
            }
        }

        @Test("a name server that is killed begins again, and one that is taken away comes back with the next box")
        func killed() throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            try lan.start("web")
            let first = lan.serverProcess
            kill(first, SIGKILL)
            let isBack = Clock.waitUntil { lan.serverProcess != first && lan.serverProcess != 0 }
            #expect(isBack)
            let answers = try Clock.waitUntil { try !lan.ask("web").isEmpty }
            #expect(answers)
            #expect(try lan.show()["nameServer"].text == "running")
            try lan.box.must([lan.box.binary, "stop", lan.server])
            #expect(try lan.show()["nameServer"].text == "stopped")
            #expect(try !lan.ask("web").isEmpty)
            #expect(try lan.show()["nameServer"].text == "running")
            try lan.box.must([lan.box.binary, "rm", "-f", lan.server])
            #expect(try lan.show()["nameServer"].text == "missing")
            #expect(try !lan.ask("web").isEmpty)
        }

        @Test("the name server goes with its switch, or after it") func deleted() throws {
            let lan = try NamedSwitch(["--subnet", "10.77.1.0/24"])
            defer { lan.end() }
            try lan.start("web")
            let server = lan.serverProcess
            expectRefused(try lan.delete(), naming: "lan", "--force")
            #expect(kill(server, 0) == 0)
            try lan.box.must([lan.box.binary, "rm", "-f", "web"])
            expectOutput(try lan.delete(), "")
            #expect(kill(server, 0) != 0)
            expectOutput(try lan.box.sandbox(["ps", "-aq"]), "")
            // A command that was killed between the two.
            try lan.box.must([lan.box.binary, "switch", "create", "lan", "--dns", "--subnet", "10.77.1.0/24"])
            let orphan = lan.serverProcess
            let folder = lan.box.file("state/switches/lan")
            umount2(folder + "/netns", Int32(MNT_DETACH))
            try lan.box.must(["rm", "-r", folder])
            let swept = try lan.box.sandbox(["gc"])
            #expect(swept.succeeded && swept.out.contains(lan.server), "\(swept)")
            #expect(kill(orphan, 0) != 0)
        }

        @Test("what cannot be is an error, and nothing is left") func refused() throws {
            let box = try Box()
            let create = ["switch", "create", "lan"]
            expectRefused(try box.sandbox(create + ["--domain", "home"]), status: 125, naming: "--dns")
            expectRefused(try box.sandbox(create + ["--dns", "--resolver", "x"]), status: 125, naming: "--resolver")
            expectRefused(try box.sandbox(create + ["--dns", "--subnet", "none"]), naming: "subnet")
            expectRefused(try box.sandbox(create + ["--dns", "--domain", "-x-"]), naming: "--domain")
            let hides = "mount --bind /dev/null $(readlink -f $(command -v dnsmasq)) && exec "
            let without = try box.run(
                ["unshare", "--mount", "sh", "-c", hides + "\(box.binary) switch create lan --dns"])
            expectRefused(without, naming: "dnsmasq", "apt-get install dnsmasq-base")
            // A sandbox of the name server's name.
            let other = try RunningSandbox(box, name: "switch-lan-dns")
            expectRefused(try box.sandbox(create + ["--dns"]), naming: "switch-lan-dns")
            other.remove()
            #expect(Files.list(box.file("state/switches")).isEmpty)
        }
    }
}

extension String {
    /// Without the line feed at its end.
    fileprivate var trimmed: String { hasSuffix("\n") ? String(dropLast()) : self }
}
