import Glibc
import Testing

extension Integration {
    /// All shipped profiles, as files.
    @Suite("Shipped profiles") struct ShippedProfileTests {
        static let names = [
            "base", "browser", "build", "confined", "default", "desktop", "desktop-base", "download", "editor", "media",
            "no-network", "node", "paint", "pdf", "pdf-viewer", "python", "read-only-host", "redis", "shell",
            "static-site", "terminal", "throw-away", "untrusted", "web-server",
        ]

        @Test("each is listed with its description, and none is unknown here") func listed() throws {
            let it = try ProfileBox(Caller.all.first ?? .user)
            let list = try it.box.sandbox(["profile", "list"], environment: it.environment)
            #expect(list.succeeded, "\(list)")
            #expect(list.lines.dropFirst().map { String($0.prefix { $0 != " " }) } == ShippedProfileTests.names)
            for line in list.lines.dropFirst() { #expect(line.split(separator: " ").count > 5, "\(line)") }
        }

        @Test("each is free of errors and of rules without effect", arguments: names) func checked(name: String) throws
        {
            let it = try ProfileBox(Caller.all.first ?? .user)
            let check = try it.box.sandbox(
                ["profile", "check", name], environment: it.environment, directory: it.place + "/project")
            #expect(check.succeeded && check.text == "\(name): good", "\(check)")
        }

        /// Whether pasta, which serves the network of "browser", may open /dev/net/tun without root.
        static let opensTunnels = Machine.works(
            Machine.unprivileged(["sh", "-c", "exec 3<> /dev/net/tun"]))

        @Test("each starts a command", arguments: names, Caller.all) func starts(name: String, caller: Caller) throws {
            let it = try ProfileBox(caller)
            if name == "browser", caller == .user, !ShippedProfileTests.opensTunnels { return }
            expectOutput(try it.run(name, [], ["/bin/echo", "hello"]), "hello")
        }
    }
}
