import Testing

@testable import Profile

struct CheckTests {
    private func warnings(_ text: String, exists: ((String) -> Bool)? = nil) -> [String] {
        store(["/user/a.toml": text]).check(["a"], exists: exists).map { finding in
            finding.message.hasPrefix("/user/") ? String(finding.message.dropFirst(6)) : finding.message
        }
    }

    @Test(arguments: [
        (
            "[filesystem]\nhide = [\"/a\"]",
            "a.toml:2:8: filesystem.hide: needs a mount namespace of the box's own; "
                + "add \"mount\" to namespaces.unshare or take this out"
        ),
        (
            "filesystem.private = [\"tmp\"]\nfilesystem.landlock = true",
            "a.toml:1:22: filesystem.private: needs a mount namespace of the box's own; "
                + "add \"mount\" to namespaces.unshare or take this out"
        ),
        (
            "filesystem.root = \"/srv\"",
            "a.toml:1:19: filesystem.root: needs a mount namespace of the box's own; "
                + "add \"mount\" to namespaces.unshare or take this out"
        ),
        (
            "namespaces.join.mount = \"/x\"\nfilesystem.bind = [{ from = \"/a\" }]",
            "a.toml:2:19: filesystem.bind: needs a mount namespace of the box's own; "
                + "add \"mount\" to namespaces.unshare or take this out"
        ),
        (
            "process.hostname = \"x\"",
            "a.toml:1:20: process.hostname: needs a uts namespace of the box's own; "
                + "add \"uts\" to namespaces.unshare or take this out"
        ),
        (
            "namespaces.time-offset = { boottime = 0 }",
            "a.toml:1:39: namespaces.time-offset.boottime: needs a time namespace of the box's own; "
                + "add \"time\" to namespaces.unshare or take this out"
        ),
        (
            "namespaces = { unshare = [\"net\"], join = { net = \"/x\" } }",
            "a.toml:1:50: namespaces.join.net: the net namespace is unshared too; either unshare it or join one"
        ),
        (
            "security.uid-map = \"auto\"",
            "a.toml:1:20: security.uid-map: needs a user namespace of the box's own; "
                + "add \"user\" to namespaces.unshare or take this out"
        ),
        (
            "namespaces.unshare = [\"user\"]\nsecurity.gid-map = []",
            "a.toml:2:20: security.gid-map: maps no id; write a triple, \"self\" or \"auto\""
        ),
        (
            "network.attach = \"none\"",
            "a.toml:1:18: network.attach: needs a net namespace of the box's own; "
                + "add \"net\" to namespaces.unshare or take this out"
        ),
        (
            "network.attach = \"host\"\nnamespaces.unshare = \"all\"",
            "a.toml:1:18: network.attach: \"host\" contradicts the net namespace in namespaces.unshare; "
                + "take one of them out"
        ),
        (
            "network.switch = \"lan\"",
            "a.toml:1:18: network.switch: needs a net namespace of the box's own; "
                + "add \"net\" to namespaces.unshare or take this out"
        ),
        (
            "namespaces.unshare = [\"net\"]\nnetwork.attach = \"veth\"",
            "a.toml:2:18: network.attach: \"veth\" needs a switch; add switch = \"lan\" or another name"
        ),
        (
            "namespaces.unshare = [\"net\"]\nnetwork.mtu = 1400",
            "a.toml:2:15: network.mtu: has no meaning without an interface; take it out, or change attach"
        ),
        (
            "namespaces.unshare = [\"net\"]\nnetwork = { attach = \"user\", vlan = 3 }",
            "a.toml:2:37: network.vlan: has no meaning with attach = \"user\"; take it out, or change attach"
        ),
        (
            "namespaces.unshare = [\"net\"]\n"
                + "network = { switch = \"a\", address = \"10.1.0.5/24\", gateway = \"10.2.0.1\" }",
            "a.toml:2:62: network.gateway: 10.2.0.1 is in none of the interface's networks; name a neighbour's address"
        ),
        (
            "namespaces.unshare = [\"net\"]\nnetwork = { switch = \"a\", more = [{ name = \"eth1\" }] }",
            "a.toml:2:44: network.more[0].name: has no meaning without an interface; take it out, or change attach"
        ),
        (
            "process.init = false",
            "a.toml:1:16: process.init: needs a pid namespace of the box's own; "
                + "add \"pid\" to namespaces.unshare or take this out"
        ),
        (
            "namespaces.unshare = [\"mount\"]\nfilesystem.proc = \"fresh\"",
            "a.toml:2:19: filesystem.proc: needs a pid namespace of the box's own; "
                + "add \"pid\" to namespaces.unshare or take this out"
        ),
        (
            "namespaces.unshare = [\"mount\"]\nfilesystem.read-only = [\"/a/\"]\nfilesystem.writable = [\"/b\", \"/a\"]",
            "a.toml:3:30: filesystem.writable: \"/a/\" is in filesystem.read-only too; keep one of them"
        ),
        (
            "namespaces.unshare = [\"mount\"]\nfilesystem.bind = [{ from = \"/a\", options = [\"idmap\"] }]",
            "a.toml:2:45: filesystem.bind[0].options: \"idmap\" needs a user namespace of the box's own; "
                + "add \"user\" to namespaces.unshare or take this out"
        ),
        (
            "process.terminal = \"inherit\"\nsecurity.terminal-injection = \"deny\"",
            "a.toml:1:20: process.terminal: \"inherit\" contradicts security.terminal-injection = \"deny\"; "
                + "use \"auto\", which guards the terminal"
        ),
        (
            "limits.core = 0\nprocess.core-limit = \"unlimited\"",
            "a.toml:2:22: process.core-limit: limits.core says otherwise; keep one of them"
        ),
        (
            "process.environment = { unset = [\"A\"], set = { A = \"1\" } }",
            "a.toml:1:52: process.environment.set.A: process.environment.unset takes it out; keep one of them"
        ),
        (
            "security.capabilities = { keep = [\"CHOWN\"], ambient = [\"CHOWN\", \"KILL\"] }",
            "a.toml:1:65: security.capabilities.ambient: \"KILL\" is not in security.capabilities.keep; "
                + "add it there or take it out here"
        ),
        (
            "security.capabilities = { permitted = [], effective = [\"KILL\"] }",
            "a.toml:1:56: security.capabilities.effective: \"KILL\" is not in security.capabilities.permitted; "
                + "add it there or take it out here"
        ),
        (
            "security.seccomp = { allow = [\"ptrace\"], deny = [\"ptrace\"] }",
            "a.toml:1:50: security.seccomp.deny: \"ptrace\" is in security.seccomp.allow too; keep one of them"
        ),
        (
            "security.seccomp.default = \"deny\"",
            "a.toml:1:28: security.seccomp.default: denies every call, and nothing is allowed; "
                + "fill security.seccomp.allow"
        ),
        (
            "[lifecycle]\nrestart = \"always\"\nrecord-exit = false",
            "a.toml:3:15: lifecycle.record-exit: lifecycle.restart needs to know how the command ended; "
                + "take one of them out"
        ),
    ])
    func aContradictionStopsALaunch(text: String, message: String) {
        #expect(problem(text) == message)
        #expect(warnings(text).contains(message))
    }

    @Test(arguments: [
        "[filesystem]\nread-only = [\"/\"]\nwritable = [\"/tmp\"]\nlandlock = true",
        "[filesystem]\nroot = \"/\"\nlandlock = true\nproc = \"host\"",
        "security.uid-map = \"self\"",
        "namespaces.unshare = [\"mount\", \"pid\"]\nfilesystem.proc = \"fresh\"",
        "namespaces.unshare = [\"mount\"]\nnamespaces.join.pid = \"/x\"\nfilesystem.proc = \"fresh\"",
        "limits.core = 0\nprocess.core-limit = 0",
        "security.capabilities = { keep = [\"ALL\"], ambient = [\"KILL\"] }",
        "security.seccomp = { default = \"deny\", allow = [\"@process\"], deny = [\"ptrace\"] }",
        "lifecycle = { restart = \"no\", record-exit = false }",
    ])
    func whatGoesTogetherIsLoaded(text: String) {
        #expect(problem(text) == "no error")
    }

    @Test func aLaterLayerUnsetsWhatAnEarlierOneSets() throws {
        let files = [
            "/system/base.toml":
                "process.environment.set = { A = \"1\", B = \"2\" }\nprocess.environment.unset = [\"C\"]",
            "/user/a.toml": "extends = [\"base\"]\nprocess.environment.unset = [\"A\"]",
        ]
        let environment = try store(files).load(["a"]).profile.process.environment
        #expect(environment.set == ["B": "2"])
        #expect(environment.unset == ["C", "A"])
    }

    @Test(arguments: [
        (
            "hide = [\"/a\", \"/a/b\"]",
            ["a.toml:3:15: warning: filesystem.hide: no effect: \"/a\" is hidden already"]
        ),
        (
            "hide = [\"/a\"]\nbind = [{ from = \"/x\", to = \"/a/x\" }]",
            [
                "a.toml:4:9: warning: filesystem.bind[0]: no effect: \"/a\" is hidden; hide wins over every other key"
            ]
        ),
        ("hide = [\"/ab\"]\nbind = [{ from = \"/a/b\" }]", []),
        (
            "read-only = [\"/usr\", \"/usr/lib/\"]",
            ["a.toml:3:22: warning: filesystem.read-only: no effect: \"/usr\" is read-only already"]
        ),
        ("read-only = [\"/\", \"/srv/a\"]\nwritable = [\"/srv\"]", []),
        (
            "read-only = [\"/usr\"]\nwritable = [\"/srv\", \"/usr/local\"]",
            ["a.toml:4:13: warning: filesystem.writable: no effect: nothing around \"/srv\" is read-only"]
        ),
        ("bind = [{ from = \"/srv\", options = [\"ro\"] }]\nwritable = [\"/srv/x\"]", []),
        (
            "hide = [\"!/x\"]",
            ["a.toml:3:9: warning: filesystem.hide: \"!/x\" takes nothing out"]
        ),
        (
            "bind = [{ from = \"/a\", to = \"/x/y\" }, { from = \"/b\", to = \"/x\" }]",
            ["a.toml:3:9: warning: filesystem.bind[0]: no effect: filesystem.bind[1] covers \"/x/y\""]
        ),
        (
            "overlay = { upper = \"/srv\", size = 1 }",
            ["a.toml:3:36: warning: filesystem.overlay.size: no effect: only a tmpfs has a size"]
        ),
    ])
    func aDeadRuleIsAWarning(text: String, messages: [String]) {
        #expect(warnings("namespaces.unshare = [\"mount\"]\n[filesystem]\n" + text) == messages)
        #expect(problem("namespaces.unshare = [\"mount\"]\n[filesystem]\n" + text) == "no error")
    }

    @Test func idleKeysAreWarnings() {
        #expect(
            warnings("process.environment.keep = [\"A\"]")
                == ["a.toml:1:28: warning: process.environment.keep: no effect: nothing is cleared; set clear = true"])
        #expect(
            warnings("resources = { memory = 5, memory-high = 6 }")
                == ["a.toml:1:41: warning: resources.memory-high: no effect: resources.memory is reached first"])
        #expect(
            warnings("process.terminal = \"pty\"\nsecurity.terminal-injection = \"allow\"") == [
                "a.toml:2:31: warning: security.terminal-injection: "
                    + "no effect: with process.terminal = \"pty\" none is shared"
            ])
    }

    @Test func aDelayBeforeNoNewStartIsAWarning() {
        let text = "a.toml:1:29: warning: lifecycle.restart-delay: no effect: lifecycle.restart is \"no\"; "
        #expect(warnings("lifecycle.restart-delay   = 2") == [text + "set lifecycle.restart"])
        #expect(warnings("lifecycle.restart-delay = 2\nlifecycle.restart = \"always\"") == [])
    }

    @Test func unreachablePathsAreWarnings() {
        let text = """
            [namespaces]
            unshare = ["mount"]
            join = { net = "/run/netns/x" }
            [filesystem]
            read-only = ["/usr", "/nowhere", "/made/x"]
            bind = [{ from = "/gone", to = "/made" }, { from = "/gone2", options = ["optional"] }]
            hide = ["/never"]
            [process]
            working-directory = "/lost"
            """
        #expect(
            warnings(text, exists: { $0 == "/usr" }) == [
                "a.toml:3:16: warning: namespaces.join.net: \"/run/netns/x\" does not exist",
                "a.toml:6:18: warning: filesystem.bind[0].from: \"/gone\" does not exist",
                "a.toml:5:22: warning: filesystem.read-only: \"/nowhere\" does not exist",
                "a.toml:9:21: warning: process.working-directory: \"/lost\" does not exist",
            ])
        #expect(
            warnings(
                "namespaces.unshare = [\"mount\"]\nfilesystem = { root = \"/r\", read-only = [\"/a\", \"/b\"] }",
                exists: { $0 == "/r" || $0 == "/r/a" })
                == ["a.toml:2:48: warning: filesystem.read-only: \"/b\" does not exist below \"/r\""])
    }

    @Test func checkingNamesEveryProblemAtOnce() {
        let files = [
            "/user/a.toml": "extends = [\"b\"]\n[process]\nnic = 1\nuser = true",
            "/system/b.toml": "[limits]\nx = 1",
        ]
        #expect(
            store(files).check(["a"]).map(\.message) == [
                "/system/b.toml:2:1: limits.x: unknown key; known here: as, core, cpu, data, fsize, locks, memlock, "
                    + "msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack",
                "/user/a.toml:3:1: process.nic: unknown key; did you mean \"nice\"?",
                "/user/a.toml:4:8: process.user: expected a name or a number, not true or false",
            ])
        #expect(store(files).check(["c"]).map(\.severity) == [.error])
        #expect(store(["/user/a.toml": ""]).check(["a"]).isEmpty)
    }
}
