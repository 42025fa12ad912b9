import Profile
import Testing

@testable import Launch

@Suite("What a box can see and do")
struct ExplanationTests {
    private func statements(_ isRoot: Bool = false, _ change: (inout Profile) -> Void) -> [Statement] {
        var profile = Profile()
        change(&profile)
        return explain(profile, isRoot: isRoot)
    }

    private func risk(_ subject: String, _ statements: [Statement], _ words: String) -> Statement.Risk? {
        statements.first { $0.subject == subject && $0.text.contains(words) }?.risk
    }

    @Test("nothing isolated: everything is said, the riskiest first, each with its mend")
    func nothing() {
        let said = statements { _ in }
        #expect(said.map(\.risk) == said.map(\.risk).sorted(by: >))
        #expect(risk("sockets", said, "abstract Unix sockets") == .high)
        #expect(risk("services", said, "D-Bus") == .high)
        #expect(risk("network", said, "host's network") == .medium)
        #expect(risk("processes", said, "all processes of the host") == .medium)
        #expect(risk("terminal", said, "shares your terminal") == .low)
        #expect(said.filter { $0.risk >= .low && $0.mend == nil }.isEmpty)
    }

    @Test("root without a user namespace is the host's root")
    func root() {
        let said = statements(true) { _ in }
        #expect(said.first?.subject == "identity")
        #expect(said.first?.risk == .high)
        #expect(risk("capabilities", said, "all capabilities") == .high)
        #expect(risk("files", said, "every file") == .high)
        let asUser = statements(true) { $0.process.user = "www-data" }
        #expect(risk("identity", asUser, "www-data") == .low)
        let mapped = statements(true) {
            $0.namespaces.unshare = [.user]
            $0.security.uidMap = .auto
        }
        #expect(risk("identity", mapped, "owns nothing") == .confined)
        let own = statements(true) { $0.namespaces.unshare = [.user] }
        #expect(risk("identity", own, "host's root") == .high)
        let explicit = statements(true) {
            $0.namespaces.unshare = [.user]
            $0.security.uidMap = .explicit([.init(inside: 0, outside: 0, count: 1)])
        }
        #expect(risk("identity", explicit, "includes the host's root") == .high)
    }

    @Test("a network of its own closes abstract sockets, too; Landlock closes them alone")
    func network() {
        let own = statements { $0.namespaces.unshare = [.net] }
        #expect(risk("network", own, "of its own") == .confined)
        #expect(own.allSatisfy { $0.subject != "sockets" })
        let scoped = statements { $0.security.landlock.scope = [.abstractUnix] }
        #expect(risk("sockets", scoped, "out of reach") == .confined)
        #expect(risk("network", scoped, "host's network") == .medium)
        let ports = statements { $0.security.landlock.tcpConnect = [443] }
        #expect(risk("network", ports, "ports 443") == .low)
        let joined = statements { $0.namespaces.join = [.net: .path("/run/netns/blue")] }
        #expect(risk("network", joined, "/run/netns/blue") == .medium)
    }

    @Test("/proc shows processes until there is a mount namespace, too")
    func processes() {
        #expect(risk("processes", statements { $0.namespaces.unshare = [.pid] }, "/proc still shows") == .medium)
        let both = statements { $0.namespaces.unshare = [.pid, .mount] }
        #expect(risk("processes", both, "only its own") == .confined)
        let host = statements {
            $0.namespaces.unshare = [.pid, .mount]
            $0.filesystem.proc = .host
        }
        #expect(risk("processes", host, "/proc still shows") == .medium)
    }

    @Test("files: each rule takes its statement away")
    func files() {
        let open = statements { $0.namespaces.unshare = [.mount] }
        #expect(risk("files", open, "changes the host's files") == .medium)
        #expect(risk("home", open, "~/.ssh") == .medium)
        #expect(risk("devices", open, "host's devices") == .medium)
        let closed = statements {
            $0.namespaces.unshare = [.mount]
            $0.filesystem.readOnly = ["/"]
            $0.filesystem.privateAreas = [.tmp, .home, .dev, .run]
        }
        #expect(risk("files", closed, "is read-only") == .confined)
        #expect(risk("home", closed, "fresh and empty") == .confined)
        #expect(risk("devices", closed, "harmless") == .confined)
        #expect(risk("services", closed, "out of reach") == .confined)
        let hidden = statements {
            $0.namespaces.unshare = [.mount]
            $0.filesystem.hide = ["~/.ssh"]
        }
        #expect(risk("home", hidden, "~/.ssh") == nil)
        #expect(risk("home", hidden, "~/.gnupg") == .medium)
        let bound = statements {
            $0.namespaces.unshare = [.mount]
            $0.filesystem.root = "/srv/tree"
            $0.filesystem.binds = [.init(from: "/", to: "/host")]
        }
        #expect(risk("files", bound, "/ (as /host)") == .high)
        #expect(bound.allSatisfy { $0.subject != "services" })
    }

    @Test("Landlock enforces file rules without a mount namespace")
    func landlock() {
        let said = statements {
            $0.filesystem.landlock = true
            $0.filesystem.readOnly = ["/"]
            $0.filesystem.writable = ["/srv"]
        }
        #expect(risk("files", said, "read-only, except for /srv") == .medium)
        #expect(said.allSatisfy { !$0.text.contains("every file of the host") })
    }

    @Test("without root, a user namespace comes with any other")
    func implied() {
        #expect(risk("identity", statements { $0.namespaces.unshare = [.net] }, "it is you") == .low)
        #expect(risk("capabilities", statements { $0.namespaces.unshare = [.net] }, "user namespace") == .confined)
    }

    @Test("terminal, filter, privileges")
    func rest() {
        #expect(risk("terminal", statements { $0.process.terminal = .pty }, "of its own") == .confined)
        #expect(risk("terminal", statements { $0.security.terminalInjection = .allow }, "type commands") == .high)
        #expect(risk("identity", statements { $0.process.noNewPrivileges = false }, "sudo") == .high)
        let denied = statements { $0.security.seccomp = .init() }
        #expect(risk("kernel", denied, "but those") == .low)
        let strict = statements {
            var filter = Profile.Seccomp()
            filter.default = .deny
            $0.security.seccomp = filter
            $0.security.userNamespaces = .deny
        }
        #expect(risk("kernel", strict, "only the system calls") == .confined)
        #expect(risk("kernel", strict, "cannot create user namespaces") == .confined)
        let capable = statements { $0.security.capabilities.keep = ["SYS_ADMIN", "NET_BIND_SERVICE"] }
        #expect(risk("capabilities", capable, "CAP_SYS_ADMIN") == .high)
        #expect(risk("capabilities", capable, "CAP_NET_BIND_SERVICE") == .low)
        let limited = statements {
            $0.resources.memory = 1
            $0.resources.cpu = 1
            $0.resources.pids = 1
        }
        #expect(risk("resources", limited, "are limited") == .confined)
    }
}
