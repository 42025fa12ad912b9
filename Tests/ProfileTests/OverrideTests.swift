import Testing

@testable import Profile

struct OverrideTests {
    @Test func valuesAreTOMLOrWords() throws {
        #expect(try Override(parsing: "a.b=3").value == .integer(3))
        #expect(try Override(parsing: "a.b = true").value == .bool(true))
        #expect(try Override(parsing: "a.b=[\"x\", 'y']").value == .strings(["x", "y"]))
        #expect(try Override(parsing: "a.b={ c = 1 }").value == .table([("c", .integer(1))]))
        #expect(try Override(parsing: "a.b=\"q u\"").value == .string("q u"))
        #expect(try Override(parsing: "a.b=/usr/bin x=y").value == .string("/usr/bin x=y"))
        #expect(try Override(parsing: "a.b=").value == .string(""))
        #expect(try Override(parsing: "a.b=!x").value == .string("!x"))
        #expect(try Override(parsing: "a.b=1\nc = 2").value == .string("1\nc = 2"))
        #expect(try Override(parsing: "a.b=1979-05-27").value == .string("1979-05-27"))
        #expect(try Override(parsing: "a.b=1 # x").value == .integer(1))
        #expect(try Override(parsing: "a.b+=3").operation == .append)
    }

    @Test func anOverrideIsTheLastLayer() throws {
        let text = """
            [process]
            nice = 1
            user = "x"
            groups = ["a"]
            command = ["ls", "-l"]
            environment.set = { A = "1", C = "3" }
            [filesystem]
            hide = ["/a", "/b"]
            [namespaces]
            unshare = ["mount", "pid"]
            """
        let loaded = try load(
            text,
            set: [
                "process.nice=5", "process.user=1000", "process.groups+=b", "process.command=[\"id\"]",
                "process.environment.set.A=2", "process.environment.set.\"B.b\"=x y", "filesystem.hide=!/a",
                "filesystem.hide+=[\"/c\", \"/b\"]", "namespaces.unshare+=net", "filesystem.writable=/w",
                "limits.nofile=unlimited", "process.environment.unset=C",
            ])
        let profile = loaded.profile
        #expect(profile.process.nice == 5)
        #expect(profile.process.user == "1000")
        #expect(profile.process.groups == ["a", "b"])
        #expect(profile.process.command == ["id"])
        #expect(profile.process.environment.set == ["A": "2", "B.b": "x y"])
        #expect(profile.filesystem.hide == ["/b", "/c"])
        #expect(profile.filesystem.writable == ["/w"])
        #expect(profile.namespaces.unshare == [.mount, .pid, .net])
        #expect(profile.limits["nofile"] == Profile.Limit(soft: nil, hard: nil))
        #expect(loaded.provenance(of: "process.nice")?.text == "command line")
        #expect(loaded.provenance(of: "filesystem.hide[1]")?.text == "command line")
        #expect(loaded.provenance(of: "filesystem.hide[0]")?.text == "/user/a.toml:8:15")
    }

    @Test func equalsReplacesAList() throws {
        let text = "namespaces.unshare = [\"mount\", \"pid\"]\nfilesystem.hide = [\"/a\"]"
        let profile = try load(
            text,
            set: [
                "namespaces.unshare=[\"net\", \"mount\"]", "filesystem.hide=[]",
                "filesystem.bind=[{ from = \"/x\" }]", "filesystem.bind+=[{ from = \"/y\" }]",
            ]
        ).profile
        #expect(profile.namespaces.unshare == [.net, .mount])
        #expect(profile.filesystem.hide == [])
        #expect(profile.filesystem.binds.map(\.from) == ["/x", "/y"])
        #expect(try load(text, set: ["namespaces.unshare=all"]).profile.namespaces.unshare.count == 8)
        #expect(
            try load("", set: ["namespaces.unshare=none"]).profile.namespaces.unshare == [])
    }

    @Test(arguments: [
        ("process.nic=3", "command line: process.nic: unknown key; did you mean \"nice\"?"),
        ("process.nice=x", "command line: process.nice: expected an integer, not a string"),
        ("nothing", "command line: \"nothing\" sets nothing; write section.key=value"),
        ("=3", "command line: \"\" is no key; write section.key=value"),
        ("a..b=3", "command line: \"a..b\" is no key; write section.key=value"),
        ("process.nice+=3", "command line: process.nice: += adds to lists; this is none; write ="),
        ("extends=[\"x\"]", "command line: extends: only a file can extend a profile; name the profile with -p"),
        (
            "filesystem.hide=b",
            "command line: filesystem.hide: \"b\" is not an absolute path; "
                + "begin it with \"/\", \"~/\", \"$HOME\", \"$PWD\" or \"$XDG_…\""
        ),
        (
            "process.hostname=x",
            "command line: process.hostname: needs a uts namespace of the box's own; "
                + "add \"uts\" to namespaces.unshare or take this out"
        ),
    ])
    func errorsNameTheCommandLine(set: String, message: String) {
        #expect(problem("", set: [set]) == message)
    }

    @Test func brokenTOMLIsAnError() {
        #expect(problem("", set: ["filesystem.hide=[\"/a\""]).hasPrefix("command line: filesystem.hide: TOML: "))
        #expect(problem("", set: ["process.user=\"a\\u0000\""]).hasPrefix("command line: process.user: "))
    }

    @Test func tablesAreTakenOutByName() throws {
        let text = """
            namespaces.unshare = ["mount"]
            filesystem.bind = [{ from = "/a" }, { from = "/b", to = "/c" }]
            filesystem.tmpfs = [{ path = "/run" }]
            security.seccomp.rules = [{ calls = ["socket"], action = "EPERM" }]
            """
        let profile = try load(
            text, set: ["filesystem.bind=!/a", "filesystem.tmpfs=!/run", "security.seccomp.rules=!socket"]
        ).profile
        #expect(profile.filesystem.binds.map(\.to) == ["/c"])
        #expect(profile.filesystem.tmpfs == [])
        #expect(profile.security.seccomp?.rules == [])
    }

    @Test func octalDigitsStayText() throws {
        #expect(try load("", set: ["process.umask=0022"]).profile.process.umask == 0o22)
        #expect(try load("", set: ["process.umask=77"]).profile.process.umask == 0o77)
        #expect(try load("", set: ["resources.memory=512M"]).profile.resources.memory == 512 << 20)
    }

    @Test func keysAndValuesComplete() {
        #expect(Schema.completions(of: "process.term") == ["process.terminal="])
        #expect(
            Schema.completions(of: "process.terminal=") == [
                "process.terminal=auto", "process.terminal=pty", "process.terminal=inherit", "process.terminal=none",
            ])
        #expect(
            Schema.completions(of: "namespaces.unshare+=n") == ["namespaces.unshare+=none", "namespaces.unshare+=net"])
        #expect(Schema.completions(of: "network.a") == ["network.attach=", "network.address=", "network.allow="])
        #expect(
            Schema.completions(of: "network.address=") == [
                "network.address=auto", "network.address=none", "network.address=dhcp", "network.address=dhcp6",
            ])
        #expect(Schema.completions(of: "limits.nof") == ["limits.nofile="])
        #expect(Schema.completions(of: "x=").isEmpty)
    }
}
