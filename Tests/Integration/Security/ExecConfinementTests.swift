import CLinux
import Glibc
import Testing

extension Integration.ExecSecurityTests {
    // MARK: - S12: as confined as the first

    /// Profiles for boxes of root's, which know every kind of confinement.
    static let rootBoxes = [
        ("untrusted", "extends = [\"untrusted\"]\n"),
        ("nothing", ""),
        ("all capabilities", own),
        (
            "all namespaces",
            "namespaces.unshare = [\"user\", \"mount\", \"pid\", \"net\", \"ipc\", \"uts\", \"cgroup\", \"time\"]\n"
        ),
        ("no namespace", "security.user-namespaces = \"deny\"\nsecurity.capabilities.keep = [\"CHOWN\"]\n"),
        (
            "a user",
            own + """
                [process]
                user = "nobody"
                umask = "0077"
                oom-score-adjust = 7
                [limits]
                nofile = "99:99"
                core = 0
                [security.capabilities]
                keep = ["NET_BIND_SERVICE", "CHOWN"]
                ambient = ["NET_BIND_SERVICE"]
                [resources]
                memory = "64M"
                """
        ),
        (
            "mapped users",
            "namespaces.unshare = [\"user\", \"pid\", \"mount\"]\nsecurity.uid-map = [\"0 100000 65536\"]\n"
        ),
        ("new privileges", "process.no-new-privileges = false\nsecurity.seccomp = { deny = [\"@clock\"] }\n" + own),
        ("inheritable", "security.capabilities = { keep = [\"NET_RAW\"], inheritable = [\"NET_RAW\"] }\n" + own),
    ]

    /// The same for boxes of a user's.
    static let userBoxes = [
        ("untrusted", "extends = [\"untrusted\"]\n"), ("nothing", ""), ("own", own),
        ("no namespace", "security.user-namespaces = \"deny\"\n"), ("network", "namespaces.unshare = [\"net\"]\n"),
        (
            "all namespaces",
            "namespaces.unshare = [\"user\", \"mount\", \"pid\", \"net\", \"ipc\", \"uts\", \"cgroup\", \"time\"]\n"
        ),
        ("init = false", "process.init = false\n" + own),
    ]

    @Test("S12: what enters root's box is confined as its command is", arguments: rootBoxes)
    func sameForRoot(title: String, toml: String) throws { try same(box, title, toml) }

    @Test("S12: and what enters a user's", .needsUserNamespaces, arguments: userBoxes)
    func sameForUsers(title: String, toml: String) throws { try same(try Box(as: Box.user), title, toml) }

    func same(_ box: Box, _ title: String, _ toml: String) throws {
        let first = try RunningSandbox(box, toml)
        defer { first.end() }
        let entered = try first.start([], ["sleep", "1000"])
        defer { entered.end() }
        let second = RunningSandbox.command(of: entered)
        try #require(Processes.command(second) == ["sleep", "1000"], "\(Files.read(box.file("entered.err")) ?? "")")
        for (one, other) in zip(Self.traits(of: first.command), Self.traits(of: second)) {
            #expect(one == other, "\(title)")
        }
    }

    /// What confines a process, as the kernel tells it outside.
    static func traits(of pid: pid_t) -> [String] {
        let fields = [
            "Uid", "Gid", "Groups", "Umask", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp",
            "Seccomp_filters",
        ]
        let kinds = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"]
        return fields.map { "\($0) \(Processes.status(pid, $0) ?? "?")" }
            + kinds.map { Processes.namespace($0, of: "\(pid)") ?? "?" }
            + ["cgroup", "limits", "oom_score_adj", "environ"].map { Files.read("/proc/\(pid)/\($0)") ?? "?" }
            + ["root", "cwd"].map { Files.linkTarget("/proc/\(pid)/\($0)") ?? "?" }
    }

    @Test("S12: control: nsenter and a plain command are not") func sameControl() throws {
        let first = try RunningSandbox(box, "extends = [\"untrusted\"]\n")
        defer { first.end() }
        let entered = try box.start(["nsenter", "-a", "-t", "\(first.process)", "sleep", "1000"], name: "entered")
        defer { entered.end() }
        let second = try #require(
            Clock.waitUntil { !Processes.children(of: entered.pid).isEmpty }
                ? Processes.children(of: entered.pid).first : nil)
        #expect(Processes.status(second, "CapBnd") != Processes.status(first.command, "CapBnd"))
        #expect(Processes.status(second, "Seccomp") == "0" && Processes.status(second, "NoNewPrivs") == "0")
    }

    @Test("S12: Landlock's rules hold for what enters", .needsLandlock(6)) func landlock() throws {
        let toml = """
            [namespaces]
            unshare = ["mount", "pid"]
            [filesystem]
            landlock = true
            read-only = ["/usr"]
            [security.landlock]
            tcp-connect = [80]
            scope = ["signal"]
            """
        let first = try RunningSandbox(box, toml)
        defer { first.end() }
        // No mount of the box's own keeps these; the sleep stands outside of the domain.
        let script = """
            mount -t tmpfs none /usr 2>/dev/null; touch /usr/made 2>/dev/null || echo kept
            \(try Payload.probe()) connect 81; kill -0 2 2>/dev/null || echo apart
            """
        expectOutput(try first.shell([], script), "kept\nconnect EACCES\napart")
        let plain = try RunningSandbox(box, Self.own, name: "plain")
        defer { plain.end() }
        expectOutput(
            try plain.shell([], "\(try Payload.probe()) connect 81; kill -0 2 && echo together"),
            "connect ECONNREFUSED\ntogether")
    }

    @Test("S12: the session's keys stay outside") func keyring() throws {
        let first = try RunningSandbox(box, Self.own)
        defer { first.end() }
        let probe = try Payload.probe()
        let words = [probe, "with-key", box.binary, "exec", "first", "--", probe, "find-key"]
        #expect(try box.run(words).text == "key ENOKEY")
        #expect(try box.run([probe, "with-key", probe, "find-key"]).text == "key ok", "control")
    }

    @Test("S12: another user of the box is no way to more capabilities") func otherUser() throws {
        let first = try RunningSandbox(box, Self.own + "[process]\nuser = \"nobody\"\n")
        defer { first.end() }
        for user in [[], ["--user", "0"], ["--user", "root", "--group", "0"], ["--user", "12345"]] {
            let status = Status(try first.exec(user, ["cat", "/proc/self/status"]).out)
            #expect(status["Uid"] != nil)
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(status.set(set) == 0, "\(user) \(set)")
            }
        }
        let root = try RunningSandbox(box, Self.own + "[security.capabilities]\nkeep = [\"CHOWN\"]\n", name: "root")
        defer { root.end() }
        let status = Status(try root.exec(["--user", "nobody"], ["cat", "/proc/self/status"]).out)
        #expect(status.set("CapPrm") == 0 && status.set("CapBnd") == 1)
    }

    @Test("S12: a caller with more than the launcher gives nothing of it") func launcherWithLess() throws {
        let limited = ["setpriv", "--bounding-set=-all,+chown,+setpcap,+sys_admin,+setuid,+setgid", "--inh-caps=-all"]
        try box.must(
            limited + [
                "sh", "-c", "ulimit -n 77; exec \"$@\"", "sh", box.binary, "run", "-d", "-n", "first", "--", "sleep",
                "1000",
            ])
        let first = try RunningSandbox(joining: "first", of: box)
        defer { first.end() }
        let status = Status(try first.exec([], ["cat", "/proc/self/status"]).out)
        #expect(status.set("CapBnd") == Processes.status(first.command, "CapBnd").flatMap { UInt64($0, radix: 16) })
        #expect(status.set("CapBnd") != Status(Files.read("/proc/self/status") ?? "").set("CapBnd"))
        expectOutput(try first.shell([], "ulimit -n; ulimit -Hn"), "77\n77")
    }

    @Test("S12: a group that the launcher had not is not brought in") func groups() throws {
        let first = try RunningSandbox(box, Self.own)
        defer { first.end() }
        let outcome = try box.run(["setpriv", "--groups", "4,27", box.binary, "exec", "first", "--", "id", "-G"])
        expectOutput(outcome, "0")
    }

    @Test("S12: neither without privilege, where it is refused", .needsUserNamespaces) func userGroups() throws {
        let user = try Box(as: Box.user)
        let first = try RunningSandbox(user, Self.own)
        defer { first.end() }
        let words = ["setpriv", "--reuid=\(Box.user)", "--regid=\(Box.user)", "--groups", "27", "--"]
        let outcome = try Child.capture(
            words + [user.binary, "exec", "first", "--", "id"], environment: user.environment, directory: user.path)
        expectRefused(outcome, naming: "group 27")
    }

    @Test("S12: filters and state are neither seen nor written from within", .needsUserNamespaces) func state() throws {
        for user in [box, try Box(as: Box.user)] {
            let first = try RunningSandbox(user, "extends = [\"untrusted\"]\n")
            defer { first.end() }
            let script = """
                for file in "$1" "$1/sandboxes" "$1/sandboxes/first/state.toml" "$1/sandboxes/first/request.toml"; do
                    ls "$file" >/dev/null 2>&1 && echo seen; (echo x >>"$file") 2>/dev/null && echo written
                done
                echo looked
                """
            expectOutput(try first.exec([], ["sh", "-c", script, "sh", user.file("state")]), "looked")
        }
    }

    // MARK: - S1, S2, S14: the launcher's own file, descriptors, sets

    @Test("S1: the launcher that enters cannot be written through", arguments: [powerless, own])
    func executable(toml: String) throws {
        try box.must(["cp", Binary.path, box.file("victim")])
        let ambush = try Ambush(in: box)
        defer { withExtendedLifetime(ambush) {} }
        let first = try RunningSandbox(box, toml + ambush.profile, [], Ambush.command)
        defer { first.end() }
        try #require(Clock.waitUntil { first.log.contains("waiting") })
        for _ in 0..<20 where !first.log.contains("overwrite") {
            // A script's interpreter too is looked up before this program is gone.
            _ = try box.run([box.file("victim"), "exec", "first", "--", "/tmp/true"])
            _ = try box.run([box.file("victim"), "exec", "first", "--", "/proc/self/exe", "--version"])
        }
        #expect(Clock.waitUntil(timeout: 60) { Processes.status(first.command, "State") == nil })
        #expect(!first.log.contains("overwrite ok"), "\(first.log)")
        #expect(try box.run(["cmp", "-s", box.file("victim"), Binary.path]).succeeded)
    }

    @Test("S2: nothing is inherited, and no working directory leads out") func descriptors() throws {
        let root = try Rootfs(in: box)
        let outside = linux_open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        defer { close(outside) }
        let held = Dictionary(uniqueKeysWithValues: (3...20).map { (Int32($0), outside) })
        for toml in ["[namespaces]\nunshare = [\"mount\"]\n", Self.own] {
            let place = toml + "[filesystem]\nroot = \"\(root.path)\"\n"
            let first = try RunningSandbox(box, place, [], ["/bin/sleep", "1000"], name: "box")
            expectOutput(
                try first.exec([], ["/bin/sh", "-c", "/bin/probe open; pwd"], descriptors: held), "0\n1\n2\n/")
            for number in 0...30 {
                let words = ["--workdir", "/proc/self/fd/\(number)"]
                expectRefused(try first.exec(words, ["/bin/sh", "-c", "pwd; ls"], descriptors: held))
            }
            first.end()
        }
    }

    @Test("S14: inheritable and ambient sets are the profile's, whatever the caller has") func inheritable() throws {
        let first = try RunningSandbox(box, Self.own)
        defer { first.end() }
        let caller = ["setpriv", "--inh-caps=+net_raw,+chown", "--ambient-caps=+net_raw"]
        let status = Status(try box.run(caller + [box.binary, "exec", "first", "--", "cat", "/proc/self/status"]).out)
        #expect(status.set("CapInh") == 0 && status.set("CapAmb") == 0)
    }

    // MARK: - S17: the helper on its way

    /// Boxes with the attacker: root without a capability, root of a user namespace with all of its capabilities, and
    /// root that may trace everything there.
    static let mapped = "namespaces.unshare = [\"user\", \"pid\", \"mount\"]\nsecurity.uid-map = [\"0 100000 65536\"]\n"
    static let tracing =
        own + "[security]\ncapabilities = { keep = [\"SYS_PTRACE\"] }\nseccomp = { deny = [\"@clock\"] }\n"

    @Test("S17: nothing in the box can look into what enters before it is the command", arguments: [powerless, mapped])
    func stalk(toml: String) throws {
        let found = try stalked(box, toml)
        #expect(found.helpers > 0 && found.looks == 0, "\(found)")
    }

    @Test("S17: nor can a user's box", .needsUserNamespaces) func stalkUser() throws {
        let found = try stalked(try Box(as: Box.user), Self.own)
        #expect(found.helpers > 0 && found.looks == 0, "\(found)")
    }

    @Test("S17: who may trace the host's root finds nothing that the command does not have") func stalkTracer() throws {
        let found = try stalked(box, Self.tracing)
        #expect(found.helpers > 0 && found.permitted == 1 << 19, "\(found)")
    }

    @Test("S17: control: a helper that takes no care is caught") func stalkControl() throws {
        let naive = try Payload.naive()
        let found = try stalked(box, Self.powerless, word: "join-harmless") { first in
            _ = try box.run([naive, "join-harmless", "\(first.command)", "/bin/true"])
        }
        #expect(found.helpers > 0 && found.looks > 0, "control: \(found)")
    }

    struct Found {
        var helpers = 0
        var looks = 0
        var permitted: UInt64 = 0
    }

    /// What an attacker in a box gets to see of helpers that enter while it lies in wait.
    func stalked(
        _ box: Box, _ toml: String, word: String = "exec", _ entering: ((RunningSandbox) throws -> Void)? = nil
    ) throws -> Found {
        let first = try RunningSandbox(box, toml, [], [try Payload.attack(), "stalk", word, "6"])
        defer { first.end() }
        try #require(Clock.waitUntil { first.log.contains("waiting") }, "\(first.log)")
        // Copying many words keeps a helper on its way for longer.
        let words = [String](repeating: String(repeating: "x", count: 100_000), count: 10)
        while Processes.status(first.command, "State") != nil {
            if let entering { try entering(first) } else { _ = try first.exec([], ["/bin/true"] + words) }
        }
        let line = first.log.split(separator: "\n").last { $0.hasPrefix("helpers") }
        let parts = try #require(line, "\(first.log)").split(separator: " ").map(String.init)
        try #require(parts.count == 10)
        var found = Found()
        found.helpers = Int(parts[1]) ?? 0
        found.looks = [parts[3], parts[5], parts[7]].reduce(0) { $0 + (Int($1) ?? 0) }
        found.permitted = UInt64(parts[9], radix: 16) ?? 0
        return found
    }
}
