import Profile
import Testing

@testable import sandbox

@Suite("Units of systemd")
struct ServiceUnitTests {
    private func unit(_ change: (inout Profile) -> Void = { _ in }) -> ServiceUnit {
        var profile = Profile()
        change(&profile)
        return ServiceUnit(executable: "/usr/bin/sandbox", selection: "web", name: "web", profile: profile)
    }

    private func lines(_ unit: ServiceUnit) throws -> [String] {
        try unit.text().split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    }

    @Test("a profile that says nothing")
    func plain() throws {
        #expect(
            try unit().text() == """
                [Unit]
                Description=Sandbox web
                After=network.target

                [Service]
                Type=exec
                ExecStart=/usr/bin/sandbox run -p web -n web --rm --set process.die-with-parent=true
                KillMode=mixed
                KillSignal=SIGTERM
                SuccessExitStatus=143
                TimeoutStopSec=10s

                [Install]
                WantedBy=multi-user.target

                """)
    }

    @Test("what differs is said, and nothing else")
    func keys() throws {
        var unit = unit { profile in
            profile.description = "A server"
            profile.namespaces.unshare = [.net]
            profile.process.dieWithParent = true
            profile.resources.pids = 10
            profile.lifecycle.stopSignal = "RTMIN+3"
            profile.lifecycle.stopTimeout = 0.5
        }
        unit.hasManual = true
        unit.environment = [("SANDBOX_PROFILES", "/a b")]
        unit.directory = "/srv/%x"
        unit.settings = ["resources.pids=10"]
        #expect(
            try unit.text() == """
                [Unit]
                Description=A server
                Documentation=man:sandbox(1)

                [Service]
                Type=exec
                Environment="SANDBOX_PROFILES=/a b"
                WorkingDirectory=/srv/%%x
                ExecStart=/usr/bin/sandbox run -p web -n web --rm --set resources.pids=10
                KillMode=mixed
                KillSignal=SIGRTMIN+3
                SuccessExitStatus=165
                TimeoutStopSec=500ms
                Delegate=yes

                [Install]
                WantedBy=multi-user.target

                """)
    }

    @Test("a joined network is none that the host must bring up")
    func joined() throws {
        #expect(!(try lines(unit { $0.namespaces.join[.net] = .path("/x") })).contains("After=network.target"))
    }

    @Test(
        "restarting is systemd's part",
        arguments: [
            (Profile.Restart.always, ["StartLimitIntervalSec=0"], "Restart=always"),
            (.onFailure(limit: nil), ["StartLimitIntervalSec=0"], "Restart=on-failure"),
            (.onFailure(limit: 3), ["StartLimitIntervalSec=36", "StartLimitBurst=4"], "Restart=on-failure"),
        ])
    func restarts(restart: Profile.Restart, limits: [String], line: String) throws {
        let lines = try lines(
            unit { profile in
                profile.lifecycle.restart = restart
                profile.lifecycle.restartDelay = 2000
            })
        let unitSection = Array(try #require(lines.split(separator: "").first))
        #expect(unitSection.filter { $0.hasPrefix("StartLimit") } == limits)
        let service = try #require(lines.firstIndex(of: line))
        #expect(lines[service + 1] == "RestartSec=2s")
        #expect(lines[service + 2] == "RestartPreventExitStatus=125")
        let run = try #require(lines.first { $0.hasPrefix("ExecStart=") })
        #expect(run.contains(" --set lifecycle.restart=no "))
    }

    @Test("no time to stop is not all the time in the world, as 0 is to systemd")
    func noTimeout() throws {
        #expect(try lines(unit { $0.lifecycle.stopTimeout = 0 }).contains("TimeoutStopSec=1ms"))
    }

    @Test(
        "words of a command line",
        arguments: [
            ("plain-word_1./x:=,+@", "plain-word_1./x:=,+@"), ("", "\"\""), ("a b", "\"a b\""), (";", "\";\""),
            ("100%", "\"100%%\""), ("$HOME", "\"$$HOME\""), ("${A}", "\"$${A}\""), ("a\"b", "\"a\\\"b\""),
            ("a\\b", "\"a\\\\b\""), ("it's", "\"it's\""), ("a\nb\tc", "\"a\\nb\\tc\""), ("\u{1b}[m", "\"\\x1b[m\""),
            ("\u{7f}", "\"\\x7f\""), ("#", "\"#\""), ("é", "\"é\""), ("!x", "\"!x\""), ("%\u{301}", "\"%%\u{301}\""),
            ("$\u{301}", "\"$$\u{301}\""),
        ])
    func words(text: String, word: String) {
        #expect(Systemd.word(text, isExpanded: true).utf8.elementsEqual(word.utf8), "\(text)")
    }

    @Test("only a command line expands variables")
    func dollars() throws {
        #expect(Systemd.word("A=$x %i", isExpanded: false) == "\"A=$x %%i\"")
        #expect(try Systemd.executable("/opt/a $b%/sandbox") == "\"/opt/a $b%%/sandbox\"")
    }

    @Test("what systemd would refuse is refused", arguments: ["/a\"b", "/a'b", "/a\\b", "/a\nb", "/a\u{7f}"])
    func executables(path: String) {
        #expect(throws: UsageError.self) { try Systemd.executable(path) }
    }

    @Test("a directory is the rest of its line")
    func directories() throws {
        #expect(try Systemd.directory("/a b$c\"d") == "/a b$c\"d")
        #expect(try Systemd.directory("/a%") == "/a%%")
        #expect(try Systemd.directory("/a\\") == "/a\\/")
        #expect(try Systemd.directory("/a ") == "/a /")
        #expect(throws: UsageError.self) { try Systemd.directory("/a\nExecStartPre=/bin/false") }
    }

    @Test(
        "a description is one line",
        arguments: [
            ("a\nExecStartPre=/x", "a ExecStartPre=/x"), ("50%", "50%%"), ("ends \\", "ends"), ("ends\\\\ ", "ends"),
            ("\u{1b}[31mred", " [31mred"), ("a\u{2028}b", "a b"), ("say \"hi\" $x", "say \"hi\" $x"),
        ])
    func descriptions(text: String, line: String) {
        #expect(Systemd.plainLine(text) == line)
    }

    @Test(
        "signals by number",
        arguments: [
            ("TERM", 15), ("HUP", 1), ("WINCH", 28), ("POLL", 29), ("SYS", 31), ("RTMIN", 34), ("RTMIN+3", 37),
            ("RTMAX", 64), ("RTMAX-1", 63), ("NONE", nil),
        ] as [(String, Int32?)])
    func signals(name: String, number: Int32?) {
        #expect(Systemd.signalNumber(name) == number)
    }
}
