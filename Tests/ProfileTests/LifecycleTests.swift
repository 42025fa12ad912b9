import Testing

@testable import Profile

struct LifecycleTests {
    @Test func everyKeyReachesTheModel() throws {
        var expected = Profile.Lifecycle()
        expected.restart = .onFailure(limit: 5)
        expected.restartDelay = 2000
        expected.stopSignal = "RTMIN+3"
        expected.stopTimeout = 0.25
        expected.logSize = 1 << 20
        let profile = try load(
            """
            [lifecycle]
            restart = "on-failure:5"
            restart-delay = 2
            stop-signal = "sigrtmin+3"
            stop-timeout = "250ms"
            log-size = "1M"
            """
        ).profile
        #expect(profile.lifecycle == expected)
        #expect(try load("lifecycle.record-exit = false").profile.lifecycle.recordsExit == false)
    }

    @Test func whatHoldsWithoutThem() throws {
        let lifecycle = try load("[lifecycle]").profile.lifecycle
        #expect(lifecycle == Profile.Lifecycle())
        #expect(lifecycle.restart == .no)
        #expect(lifecycle.restartDelay == 100)
        #expect(lifecycle.stopSignal == "TERM")
        #expect(lifecycle.stopTimeout == 10)
        #expect(lifecycle.recordsExit)
        #expect(lifecycle.logSize == nil)
    }

    @Test(arguments: [
        ("no", Profile.Restart.no), ("on-failure", .onFailure(limit: nil)), ("on-failure:1", .onFailure(limit: 1)),
        ("always", .always), ("from-snapshot", .fromSnapshot),
    ])
    func restarts(text: String, restart: Profile.Restart) throws {
        #expect(try load("lifecycle.restart = \"\(text)\"").profile.lifecycle.restart == restart)
        #expect(restart.text == text)
    }

    @Test(arguments: ["TERM", "SIGTERM", "term", "SigTerm"])
    func aSignalsNameIsReadWithOrWithoutItsPrefix(name: String) throws {
        #expect(try load("lifecycle.stop-signal = \"\(name)\"").profile.lifecycle.stopSignal == "TERM")
    }

    @Test(arguments: ["lifecycle.stop-timeout=30", "lifecycle.stop-timeout=30s", "lifecycle.stop-timeout=30000ms"])
    func theCommandLineSetsADuration(word: String) throws {
        #expect(try load("", set: [word]).profile.lifecycle.stopTimeout == 30)
    }

    @Test(arguments: [
        (
            "restart = \"onfailure\"",
            "a.toml:2:11: lifecycle.restart: unknown value \"onfailure\"; did you mean \"on-failure\"?"
        ),
        (
            "restart = \"unless-stopped\"",
            "a.toml:2:11: lifecycle.restart: unknown value \"unless-stopped\"; "
                + "use \"no\", \"on-failure\", \"always\" or \"from-snapshot\""
        ),
        (
            "restart = \"on-failure:0\"",
            "a.toml:2:11: lifecycle.restart: \"on-failure:0\" counts no starts; write it like \"on-failure:5\", from 1 on"
        ),
        ("restart = true", "a.toml:2:11: lifecycle.restart: expected a string, not true or false"),
        (
            "restart-delay = \"2 s\"",
            "a.toml:2:17: lifecycle.restart-delay: \"2 s\" is no duration; "
                + "write seconds, or text such as \"100ms\" (ms, s, m, h)"
        ),
        (
            "restart-delay = 0.5",
            "a.toml:2:17: lifecycle.restart-delay: expected a duration, not a number with a fraction; "
                + "write seconds, or text such as \"100ms\" (ms, s, m, h)"
        ),
        ("restart-delay = 0", "a.toml:2:17: lifecycle.restart-delay: 0s is out of range; use 1ms to 24h"),
        ("stop-timeout = \"25h\"", "a.toml:2:16: lifecycle.stop-timeout: 25h is out of range; use 0s to 24h"),
        (
            "stop-timeout = -1",
            "a.toml:2:16: lifecycle.stop-timeout: -1 is no duration; "
                + "write seconds, or text such as \"100ms\" (ms, s, m, h)"
        ),
        (
            "stop-signal = \"SIGTREM\"",
            "a.toml:2:15: lifecycle.stop-signal: unknown signal \"SIGTREM\"; did you mean \"TERM\"?"
        ),
        (
            "stop-signal = \"RTMIN+31\"",
            "a.toml:2:15: lifecycle.stop-signal: \"RTMIN+31\" is no real-time signal; use RTMIN+0 to RTMIN+30"
        ),
        ("stop-signal = 15", "a.toml:2:15: lifecycle.stop-signal: expected a string, not an integer"),
        ("record-exit = \"no\"", "a.toml:2:15: lifecycle.record-exit: expected true or false, not a string"),
        ("log-size = \"2K\"", "a.toml:2:12: lifecycle.log-size: 2048 is too small; use 4096 or more"),
        ("log-sise = 1", "a.toml:2:1: lifecycle.log-sise: unknown key; did you mean \"log-size\"?"),
    ])
    func whatIsWrongIsNamed(line: String, message: String) {
        #expect(problem("[lifecycle]\n" + line) == message)
    }

    @Test func valuesComplete() {
        #expect(
            Schema.completions(of: "lifecycle.restart=")
                == ["no", "on-failure", "always", "from-snapshot"].map { "lifecycle.restart=\($0)" })
        #expect(
            Schema.completions(of: "lifecycle.stop-signal=USR") == [
                "lifecycle.stop-signal=USR1", "lifecycle.stop-signal=USR2",
            ])
    }
}
