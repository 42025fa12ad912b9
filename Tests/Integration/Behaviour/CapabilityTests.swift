import Glibc
import Testing

extension Integration {
    /// Privileges of the command, as /proc/self/status tells.
    @Suite("Privileges", .needsRoot) struct CapabilityTests {
        let box: Box

        init() throws { box = try Box() }

        static let netBind: UInt64 = 1 << 10
        static let netRaw: UInt64 = 1 << 13
        static let chown: UInt64 = 1

        func status(_ toml: String, _ options: [String] = []) throws -> Status {
            let outcome = try box.launch(toml, options, ["cat", "/proc/self/status"])
            #expect(outcome.succeeded, "\(outcome)")
            return Status(outcome.out)
        }

        func sets(_ status: Status) -> [UInt64?] {
            ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map { status.set($0) }
        }

        @Test("no_new_privs is on, unless taken out") func noNewPrivileges() throws {
            #expect(try status("")["NoNewPrivs"] == "1")
            #expect(try status("[process]\nno-new-privileges = false\n")["NoNewPrivs"] == "0")
        }

        @Test("keep, as root") func keep() throws {
            let found = sets(try status("[security.capabilities]\nkeep = [\"NET_BIND_SERVICE\"]\n"))
            #expect(found == [0, Self.netBind, Self.netBind, Self.netBind, 0])
            #expect(sets(try status("[security.capabilities]\nkeep = []\n")) == [0, 0, 0, 0, 0])
        }

        @Test("a user that is not root has none") func user() throws {
            #expect(sets(try status("[process]\nuser = \"1234\"\ngroup = \"1234\"\n")) == [0, 0, 0, 0, 0])
        }

        @Test("ambient, as a user") func ambient() throws {
            let toml = """
                [process]
                user = "1234"
                group = "1234"
                [security.capabilities]
                keep = ["NET_BIND_SERVICE", "NET_RAW"]
                ambient = ["NET_BIND_SERVICE"]
                """
            let found = sets(try status(toml))
            #expect(found == [Self.netBind, Self.netBind, Self.netBind, Self.netBind | Self.netRaw, Self.netBind])
        }

        @Test("the sets one by one") func exact() throws {
            let toml = """
                [process]
                user = "1234"
                group = "1234"
                [security.capabilities]
                bounding = ["NET_BIND_SERVICE", "NET_RAW", "CHOWN"]
                permitted = ["NET_BIND_SERVICE", "NET_RAW"]
                effective = ["NET_BIND_SERVICE", "NET_RAW"]
                inheritable = ["NET_BIND_SERVICE", "NET_RAW"]
                ambient = ["NET_BIND_SERVICE", "NET_RAW"]
                """
            let both = Self.netBind | Self.netRaw
            #expect(sets(try status(toml)) == [both, both, both, both | Self.chown, both])
        }

        @Test("inheritable alone") func inheritable() throws {
            let toml = "[security.capabilities]\nkeep = [\"NET_RAW\", \"CHOWN\"]\ninheritable = [\"NET_RAW\"]\n"
            let found = sets(try status(toml))
            #expect(found[0] == Self.netRaw && found[3] == Self.netRaw | Self.chown && found[4] == 0, "\(found)")
        }

        @Test("securebits") func securebits() throws {
            let toml = "[security]\nsecurebits = [\"noroot\", \"noroot-locked\"]\n"
            let read = "import ctypes; print(ctypes.CDLL(None).prctl(27))"
            expectOutput(try box.launch(toml, [], ["python3", "-c", read]), "3")
        }

        @Test("what cannot be is refused", arguments: ["keep = [\"NO_SUCH\"]", "keep = []\nambient = [\"NET_RAW\"]"])
        func refused(line: String) throws {
            expectRefused(try box.launch("[security.capabilities]\n\(line)\n", [], ["true"]))
        }

        @Test("user-namespaces = deny") func userNamespaces() throws {
            let outcome = try box.launch("[security]\nuser-namespaces = \"deny\"\n", [], [Payload.probe(), "userns"])
            #expect(outcome.lines.allSatisfy { !$0.hasSuffix(" ok") } && outcome.lines.count >= 3, "\(outcome)")
            let control = try box.launch("[security]\nuser-namespaces = \"allow\"\n", [], [Payload.probe(), "userns"])
            #expect(control.lines.contains("unshare ok") && control.lines.contains("clone3 ok"), "control: \(control)")
        }
    }
}
