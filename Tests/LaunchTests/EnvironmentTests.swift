import Profile
import Testing

@testable import Launch

@Suite("Environment")
struct EnvironmentTests {
    private let caller = ["PATH=/bin", "TERM=xterm", "LC_ALL=C", "LC_TIME=C", "SECRET=1", "EMPTY=", "BARE"]

    private func entries(_ change: @escaping (inout Profile.Environment) -> Void) throws(LaunchError) -> [String] {
        try plan(host(environment: caller)) { change(&$0.process.environment) }.environment
    }

    @Test("the caller's, unless said otherwise") func unchanged() throws {
        #expect(try entries { _ in } == caller)
    }

    @Test("clear keeps what is named, with wildcards at the end") func clear() throws {
        #expect(try entries { $0.clear = true }.isEmpty)
        let kept = try entries {
            $0.clear = true
            $0.keep = ["TERM", "LC_*", "PAT"]
        }
        #expect(kept == ["TERM=xterm", "LC_ALL=C", "LC_TIME=C"])
        let all = try entries {
            $0.clear = true
            $0.keep = ["*"]
        }
        #expect(all == caller)
    }

    @Test("keep without clear takes nothing away") func keepAlone() throws {
        #expect(try entries { $0.keep = ["TERM"] } == caller)
    }

    @Test("unset wins over keep") func unset() throws {
        let left = try entries {
            $0.unset = ["SECRET", "LC_*", "EMPTY", "BARE"]
            $0.clear = true
            $0.keep = ["*"]
        }
        #expect(left == ["PATH=/bin", "TERM=xterm"])
    }

    @Test("set replaces, adds, and outlasts clear and unset") func set() throws {
        let entries = try entries {
            $0.clear = true
            $0.keep = ["PATH"]
            $0.unset = ["B"]
            $0.set = ["PATH": "/usr/bin", "B": "a=b", "A": ""]
        }
        #expect(entries == ["A=", "B=a=b", "PATH=/usr/bin"])
    }

    @Test("a name ends with the byte =, whatever is written after it") func combining() throws {
        let facts = host(environment: ["SECRET=\u{301}x", "HOME=\u{301}", "A=1"])
        #expect(try plan(facts) { $0.process.environment.unset = ["SECRET", "HOME"] }.environment == ["A=1"])
        #expect(facts.variable("SECRET") == "\u{301}x")
        #expect(facts.variable("HOME") == "\u{301}")
    }

    @Test("variables are found by their whole name") func variable() {
        let facts = host(environment: ["AB=1", "A=2", "A=3", "B"])
        #expect(facts.variable("A") == "2")
        #expect(facts.variable("AB") == "1")
        #expect(facts.variable("B") == "")
        #expect(facts.variable("C") == nil)
    }

    @Test("a user of the box brings HOME, USER, LOGNAME and SHELL, unless the profile sets them") func account() throws
    {
        var launch = try plan(host(environment: ["HOME=/home/alice", "USER=alice", "SHELL=/bin/zsh"])) {
            $0.process.environment.set = ["USER": "other"]
        }
        let account = Account(name: "web", uid: 33, gid: 33, home: "/srv", shell: "/bin/false")
        let identity = BoxIdentity(uid: 33, gid: 33, groups: [], account: account)
        let entries = Environment(launch, identity).entries
        #expect(Set(entries) == ["HOME=/srv", "USER=other", "LOGNAME=web", "SHELL=/bin/false"])
        #expect(entries.count == 4)
        launch.workingDirectory = "/w"
        #expect(Environment(launch, nil).entries.contains("PWD=/w"))
        #expect(Environment(launch, nil).entries.contains("HOME=/home/alice"))
    }
}
