import Profile
import Testing

@testable import Launch

@Suite("Plans")
struct PlannerTests {
    @Test("defaults isolate nothing and leave nobody behind") func defaults() throws {
        let plan = try plan()
        #expect(plan.command == ["true"])
        #expect(plan.namespaces == NamespacePlan())
        #expect(plan.filesystem == FilesystemPlan())
        #expect(plan.supervision == .none)
        #expect(plan.workingDirectory == nil)
        #expect(plan.limits.isEmpty)
        #expect(plan.resources.isEmpty)
        #expect(!plan.leavesTerminal)
        #expect(plan.process.noNewPrivileges)
        #expect(plan.process.sessionKeyring)
    }

    @Test("the command line's command, else the profile's, else an error") func command() throws {
        #expect(try plan(rootHost(), ["a", "b"]) { $0.process.command = ["c"] }.command == ["a", "b"])
        #expect(try plan(rootHost(), []) { $0.process.command = ["c", "--bind"] }.command == ["c", "--bind"])
        #expect(refusal(rootHost(), []) { _ in }?.status == 125)
        #expect(refusal(rootHost(), [""]) { _ in } != nil)
        #expect(refusal(rootHost(), ["a\0b"]) { _ in }?.key == "process.command")
    }

    @Test("what the profile says of the process passes whole") func passes() throws {
        var profile = Profile()
        profile.process.umask = 0o77
        profile.process.keepDescriptors = [5]
        profile.limits = ["nofile": .init(soft: 10, hard: 20)]
        profile.process.coreLimit = .init(soft: 0, hard: 0)
        profile.security.securebits = ["noroot"]
        profile.resources.pids = 5
        let plan = try Planner(host: rootHost()).plan(profile, command: ["true"], name: "web")
        #expect(plan.name == "web")
        #expect(plan.process == profile.process)
        #expect(plan.security == profile.security)
        #expect(plan.resources == profile.resources)
        #expect(plan.limits == ["nofile": .init(soft: 10, hard: 20), "core": .init(soft: 0, hard: 0)])
    }

    @Test("the working directory is expanded") func workingDirectory() throws {
        #expect(try plan(host()) { $0.process.workingDirectory = "~/src" }.workingDirectory == "/home/alice/src")
        #expect(refusal { $0.process.workingDirectory = "src" }?.key == "process.working-directory")
        #expect(refusal { $0.process.workingDirectory = "/proc/self/../x" }?.key == "process.working-directory")
    }

    @Test("HOME is the command's own") func home() throws {
        #expect(try plan(host(environment: ["HOME=/h"])).home == "/h")
        #expect(try plan(host(environment: ["HOME=h"])).home == "/")
        #expect(try plan(host(environment: [])).home == "/")
    }

    @Test(
        "a key whose namespace is the host's own would change the host, or protect nothing",
        arguments: [
            ("process.hostname", NamespaceKind.uts), ("process.domainname", .uts),
            ("namespaces.time-offset.monotonic", .time), ("namespaces.time-offset.boottime", .time),
            ("network.attach", .net), ("filesystem.bind[0].options", .user),
        ])
    func needed(key: String, kind: NamespaceKind) throws {
        func set(_ profile: inout Profile) {
            switch key {
            case "process.hostname": profile.process.hostname = "box"
            case "process.domainname": profile.process.domainname = "box"
            case "namespaces.time-offset.monotonic": profile.namespaces.monotonicOffset = 1
            case "namespaces.time-offset.boottime": profile.namespaces.boottimeOffset = 1
            case "network.attach": profile.network.attach = Profile.Interface.Attach.none
            default:
                var bind = Profile.Bind(from: "/a", to: "/b")
                bind.options.idmap = true
                profile.filesystem.binds = [bind]
                profile.namespaces.unshare = [.mount]
            }
        }
        let error = refusal { set(&$0) }
        #expect(error?.key == key)
        #expect(error?.message.contains("\"\(kind.rawValue)\"") == true)
        let allowed = refusal {
            set(&$0)
            $0.namespaces.unshare.insert(kind)
        }
        #expect(allowed == nil)
    }

    @Test("the host's network beside a network namespace is a contradiction") func hostNetwork() {
        let error = refusal {
            $0.network.attach = .host
            $0.namespaces.unshare = [.net]
        }
        #expect(error?.key == "network.attach")
        #expect(refusal { $0.network.attach = .host } == nil)
    }
}

@Suite("Terminal and supervision of a plan")
struct SupervisionTests {
    @Test("a new pid namespace has a waiter, and our init unless the command is to be process 1") func newPID() throws {
        let withInit = try plan { $0.namespaces.unshare = [.pid] }
        #expect(withInit.supervision == .waiter(initProcess: true, pseudoTerminal: false))
        let without = try plan {
            $0.namespaces.unshare = [.pid]
            $0.process.initProcess = false
        }
        #expect(without.supervision == .waiter(initProcess: false, pseudoTerminal: false))
    }

    @Test("a joined pid namespace has a waiter, and an init of its own already") func joinedPID() throws {
        let joined = try plan { $0.namespaces.join = [.pid: .path("/proc/7/ns/pid")] }
        #expect(joined.supervision == .waiter(initProcess: false, pseudoTerminal: false))
    }

    @Test("a pseudo-terminal needs both") func pseudoTerminal() throws {
        let plan = try plan(rootHost(terminal: true)) {
            $0.process.terminal = .pty
            $0.process.initProcess = false
        }
        #expect(plan.supervision == .waiter(initProcess: true, pseudoTerminal: true))
        #expect(!plan.guardsTerminal)
    }

    @Test("other namespaces leave nobody behind") func others() throws {
        let kinds = NamespaceSet(NamespaceKind.allCases).subtracting([.pid])
        #expect(try plan { $0.namespaces.unshare = kinds }.supervision == .none)
    }

    @Test(
        "a shared terminal is guarded unless injection is allowed",
        arguments: [Profile.Terminal.auto, .inherit, .none])
    func guarded(terminal: Profile.Terminal) throws {
        #expect(try plan(rootHost(terminal: true)) { $0.process.terminal = terminal }.guardsTerminal)
        #expect(!(try plan(rootHost()) { $0.process.terminal = terminal }.guardsTerminal))
        let allowed = try plan(rootHost(terminal: true)) {
            $0.process.terminal = terminal
            $0.security.terminalInjection = .allow
        }
        #expect(!allowed.guardsTerminal)
        let denied = try plan(rootHost(terminal: true)) {
            $0.process.terminal = terminal
            $0.security.terminalInjection = .deny
        }
        #expect(denied.guardsTerminal)
        #expect(denied.leavesTerminal == (terminal == .none))
    }
}
