import Glibc
import Testing

extension Integration {
    @Suite(
        "Uplinks, killed at every step", .needsRoot, .needsProgram("nft"), .needsProgram("python3"), .needsCrashPoints)
    struct UplinkCrashTests {
        struct Scene: Sendable, CustomTestStringConvertible {
            var name: String
            var before: [[String]] = []
            var command: [String]
            var testDescription: String { name }
        }

        private static let create = ["switch", "create", "lan", "--subnet", "10.77.0.0/24", "--uplink"]
        private static let run = [
            "run", "-d", "-n", "web", "--unshare", "net", "--switch", "lan", "--publish", "8080:80,9000-9001", "--",
            "sleep", "1000",
        ]

        @Test(
            "What is left is swept, and the host is as it was",
            arguments: [
                Scene(name: "create with nat", command: create + ["nat"]),
                Scene(name: "create with a device", command: create + ["lan0"]),
                Scene(name: "delete with nat", before: [create + ["nat"]], command: ["switch", "delete", "lan"]),
                Scene(name: "delete with a device", before: [create + ["lan0"]], command: ["switch", "delete", "lan"]),
                Scene(name: "publish on a new switch", command: run),
                Scene(name: "publish", before: [create + ["nat"]], command: run),
                Scene(name: "rm", before: [run], command: ["rm", "-f", "web"]),
                Scene(name: "delete by force", before: [run], command: ["switch", "delete", "-f", "lan"]),
            ]) func killed(scene: Scene) throws
        {
            for (role, steps) in try steps(scene) {
                for number in steps.turns(all: false) { try trial(scene, role, number, steps[number - 1]) }
            }
        }

        private func prepared(_ box: Box) throws -> OuterNetwork {
            let net = try OuterNetwork(box)
            try net.script(
                on: net.host,
                """
                sysctl -qw net.ipv6.conf.default.addr_gen_mode=1
                ip link add lan0 type veth peer name other
                ip address add 192.0.2.5/24 dev lan0
                ip link set lan0 up
                ip link set other up
                """)
            return net
        }

        private func perform(_ scene: Scene, _ net: OuterNetwork, _ role: String, _ number: Int) throws {
            for words in scene.before { try net.must(words) }
            _ = try net.sandbox(
                scene.command, environment: ["SANDBOX_CRASH": "\(net.box.file("steps")):\(role):\(number)"])
        }

        private func steps(_ scene: Scene) throws -> [(String, [String])] {
            let box = try Box()
            let net = try prepared(box)
            defer { net.end() }
            try perform(scene, net, "nobody", 0)
            var found: [String: [String]] = [:]
            for line in (Files.read(box.file("steps")) ?? "").split(separator: "\n") {
                let words = line.split(separator: " ", maxSplits: 1).map(String.init)
                found[words[0], default: []].append(words[1])
            }
            try #require(!found.isEmpty)
            return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }

        private func trial(_ scene: Scene, _ role: String, _ number: Int, _ step: String) throws {
            let box = try Box()
            let net = try prepared(box)
            defer { net.end() }
            let before = try net.settledState()
            try perform(scene, net, role, number)
            let place = "\(role) killed at \(number), \(step)"
            // What runs in spite of it has all that it was given; else nothing is left of it, once the kernel has taken
            // its namespace down.
            let isSettled = try Clock.waitUntil {
                try net.must(["gc"])
                let isThere = try net.published().contains("8080")
                let mayBe = Files.exists(box.file("state/switches/lan"))
                return box.phase("web") == "running" ? isThere || !mayBe : !isThere
            }
            #expect(isSettled, "\(place)")
            if box.phase("web") == "running" { try net.must(["rm", "-f", "web"]) }
            // What the killed one had no time to write down, gc finds.
            let isWithdrawn = try Clock.waitUntil {
                try net.must(["gc"])
                return try net.published() == ""
            }
            #expect(isWithdrawn, "\(place)")
            let isEmpty = try Clock.waitUntil {
                if !Files.exists(box.file("state/switches/lan")) { return true }
                return try net.sandbox(["switch", "delete", "lan"]).succeeded
            }
            #expect(isEmpty, "\(place)")
            try net.must(["gc"])
            #expect(try net.hostState() == before, "\(place)")
            #expect(Files.list(box.file("state/switches")) == [], "\(place)")
            #expect(!Files.exists(box.file("state/host-settings")), "\(place)")
        }
    }
}
