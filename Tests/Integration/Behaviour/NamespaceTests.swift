import Glibc
import Testing

extension Integration {
    @Suite("Namespaces", .needsRoot) struct NamespaceTests {
        let box: Box

        init() throws { box = try Box() }

        static let entries = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"]

        /// Which entries of /proc/self/ns differ between this process and a command run with `options`.
        func changed(_ options: [String], profile toml: String = "") throws -> Set<String> {
            let links = Self.entries.map { "/proc/self/ns/" + $0 }
            let outcome = try box.launch(toml, options, ["readlink"] + links)
            #expect(outcome.succeeded, "\(outcome)")
            #expect(outcome.lines.count == links.count, "\(outcome)")
            let pairs = zip(Self.entries, outcome.lines)
            return Set(pairs.filter { Processes.namespace($0) != $1 }.map(\.0))
        }

        @Test(
            "each kind alone",
            arguments: zip(
                ["user", "mount", "pid", "net", "ipc", "uts", "cgroup", "time"],
                ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"]))
        func each(kind: String, entry: String) throws {
            #expect(try changed(["--unshare", kind]) == [entry])
        }

        @Test("subsets", arguments: ["user,net", "mount,pid", "ipc,uts,time", "user,mount,pid,net,cgroup"])
        func subset(list: String) throws {
            let expected = list.split(separator: ",").map { $0 == "mount" ? "mnt" : String($0) }
            #expect(try changed(["--unshare", list]) == Set(expected))
        }

        @Test func all() throws { #expect(try changed(["--unshare", "all"]) == Set(Self.entries)) }

        @Test("none takes back what the profile unshares")
        func none() throws {
            let toml = "[namespaces]\nunshare = [\"net\", \"uts\"]\n"
            #expect(try changed([], profile: toml) == ["net", "uts"])
            #expect(try changed(["--unshare", "none"], profile: toml) == [])
        }

        @Test("nothing is unshared that was not asked for") func implied() throws { #expect(try changed([]) == []) }

        @Test("without a pid namespace the launcher becomes the command")
        func inPlace() throws {
            let child = try box.startSandbox("", ["--unshare", "net,mount"], ["sleep", "100"])
            defer { child.end() }
            #expect(Clock.waitUntil { Processes.command(child.pid) == ["sleep", "100"] })
            #expect(Processes.status(child.pid, "PPid") == "\(getpid())")
            #expect(Processes.children(of: child.pid).isEmpty)
            #expect(Processes.marked(Leaks.variable, box.mark) == [child.pid])
        }

        @Test("loopback is up in a new network namespace")
        func loopback() throws {
            let outcome = try box.launch("", ["--unshare", "net"], ["ip", "-br", "link", "show", "up"])
            #expect(outcome.succeeded && outcome.lines.count == 1 && outcome.out.hasPrefix("lo "), "\(outcome)")
        }

        @Test("clock offsets of a time namespace")
        func clocks() throws {
            let toml = """
                [namespaces]
                unshare = ["time"]
                time-offset = { monotonic = 1000000, boottime = 5000000 }
                """
            let inside = try box.launch(toml, [], [Payload.probe(), "clocks"])
            let outside = try box.run([Payload.probe(), "clocks"])
            let numbers = (inside.text + " " + outside.text).split(separator: " ").compactMap { Int($0) }
            try #require(numbers.count == 4, "\(inside) \(outside)")
            #expect((999_000...1_001_000).contains(numbers[0] - numbers[2]), "\(numbers)")
            #expect((4_999_000...5_001_000).contains(numbers[1] - numbers[3]), "\(numbers)")
        }

        @Test("hostname and domain name in a uts namespace")
        func names() throws {
            let toml = """
                [namespaces]
                unshare = ["uts"]
                [process]
                hostname = "inside"
                domainname = "example"
                """
            expectOutput(try box.shell(toml, [], "uname -n; cat /proc/sys/kernel/domainname"), "inside\nexample")
            expectOutput(try box.launch("", ["--unshare", "uts", "--hostname", "given"], ["uname", "-n"]), "given")
        }

        @Test("a host name without a uts namespace is refused, lest the machine's own be changed")
        func hostnameWithoutNamespace() throws {
            let before = Files.read("/proc/sys/kernel/hostname")
            expectRefused(try box.launch("[process]\nhostname = \"elsewhere\"\n", [], ["true"]), naming: "hostname")
            #expect(Files.read("/proc/sys/kernel/hostname") == before)
        }
    }
}
