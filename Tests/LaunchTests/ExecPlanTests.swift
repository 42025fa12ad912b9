import Kernel
import Profile
import Testing

@testable import Launch

@Suite("Plans of commands that enter a box")
struct ExecPlanTests {
    /// A box in namespaces of its own, as a profile without keys gives it.
    private func box(_ kinds: NamespaceSet = [], _ change: (inout BoxFacts) -> Void = { _ in }) -> EntryPlan {
        var facts = BoxFacts()
        facts.namespaces = kinds
        change(&facts)
        return EntryPlan(box: facts)
    }

    private func exec(
        _ entry: EntryPlan, _ options: ExecOptions = ExecOptions(), host: HostFacts = rootHost(),
        command: [String] = ["true"], term: String? = nil, _ change: (inout Profile) -> Void = { _ in }
    ) throws(LaunchError) -> LaunchPlan {
        var profile = Profile()
        change(&profile)
        return try Planner(host: host).exec(profile, in: entry, command: command, options, term: term)
    }

    private func refusal(
        _ entry: EntryPlan, host: HostFacts = rootHost(), _ change: (inout Profile) -> Void = { _ in }
    ) -> String? {
        do throws(LaunchError) {
            _ = try exec(entry, host: host, change)
            return nil
        } catch {
            return error.message
        }
    }

    @Test("the command is never the profile's own") func command() {
        #expect(throws: LaunchError.self) { try exec(box(), command: []) { $0.process.command = ["nginx"] } }
        #expect(throws: LaunchError.self) { try exec(box(), command: [""]) }
    }

    @Test("who stays: nobody, a waiter for a pid namespace, a session's leader for a terminal") func supervision()
        throws
    {
        #expect(try exec(box([.mount, .net])).supervision == .none)
        #expect(try exec(box([.pid])).supervision == .waiter(initProcess: false, pseudoTerminal: false))
        var options = ExecOptions()
        options.terminal = true
        #expect(try exec(box(), options).supervision == .waiter(initProcess: true, pseudoTerminal: true))
        #expect(try exec(box()) { $0.process.terminal = .pty }.supervision == .none)
        #expect(try exec(box()) { $0.process.terminal = .none }.leavesTerminal)
    }

    @Test("nothing of the first command's surroundings is made anew") func nothingMade() throws {
        let plan = try exec(box([.uts])) {
            $0.process.hostname = "web"
            $0.namespaces.unshare = [.uts]
            $0.resources.memory = 1 << 20
            $0.process.keepDescriptors = [7]
        }
        #expect(plan.namespaces.unshare.isEmpty && plan.namespaces.join.isEmpty)
        #expect(plan.process.hostname == nil && plan.process.keepDescriptors.isEmpty)
        #expect(plan.resources.isEmpty && plan.filesystem.steps.isEmpty && plan.name == nil)
    }

    @Test("user and group are those that are asked for; the profile's are in the kernel already") func identity() throws
    {
        let own = try exec(box()) {
            $0.process.user = "web"
            $0.process.groups = ["video"]
        }
        #expect(own.process.user == nil && own.process.groups == nil && own.entry?.namesAccount == true)
        var options = ExecOptions()
        (options.user, options.group) = ("0", "adm")
        let other = try exec(box(), options) { $0.process.user = "web" }
        #expect(other.process.user == "0" && other.process.group == "adm")
    }

    @Test("environment: the launcher's, the profile's, what is given, and the caller's TERM for a terminal")
    func environment() throws {
        var options = ExecOptions()
        options.environment = ["A": "2"]
        let launcher = host(uid: 0, privileged: true, environment: ["PATH=/bin", "TERM=dumb", "X=1"])
        func entries(_ options: ExecOptions) throws -> [String] {
            try exec(box(), options, host: launcher, term: "xterm") {
                $0.process.environment.unset = ["X"]
                $0.process.environment.set = ["A": "1", "B": "1"]
            }.environment
        }
        #expect(try entries(options).sorted() == ["A=2", "B=1", "PATH=/bin", "TERM=dumb"])
        options.terminal = true
        #expect(try entries(options).contains("TERM=xterm"))
        options.environment["TERM"] = "vt52"
        #expect(try entries(options).contains("TERM=vt52"))
    }

    @Test("the directory: what is given, the profile's, else where the box began") func directory() throws {
        var options = ExecOptions()
        options.workingDirectory = "~/src"
        #expect(try exec(box(), options) { $0.process.workingDirectory = "/srv" }.workingDirectory == "/root/src")
        #expect(try exec(box()) { $0.process.workingDirectory = "/srv" }.workingDirectory == "/srv")
        #expect(try exec(box()).workingDirectory == nil)
        options.workingDirectory = "src"
        #expect(throws: LaunchError.self) { try exec(box(), options) }
    }

    @Test("the stricter of profile and process") func strict() throws {
        let plan = try exec(
            box {
                $0.noNewPrivileges = true
                $0.umask = 0o77
            }
        ) { $0.process.noNewPrivileges = false }
        #expect(plan.process.noNewPrivileges && plan.process.umask == 0o77)
        #expect(try exec(box()) { $0.process.umask = 0o27 }.process.umask == 0o27)
        #expect(try exec(box()) { $0.process.noNewPrivileges = false }.process.noNewPrivileges == false)
    }

    @Test("Landlock's rules are the box's own") func landlock() throws {
        let entry = box([.mount])
        func set(_ profile: inout Profile) {
            profile.namespaces.unshare = [.mount]
            profile.filesystem.landlock = true
            profile.filesystem.readOnly = ["/usr"]
            profile.filesystem.hide = ["/etc/shadow"]
        }
        let own = try plan { set(&$0) }
        let entered = try exec(entry) { set(&$0) }
        #expect(entered.filesystem.landlock != nil && entered.filesystem.landlock == own.filesystem.landlock)
        #expect(entered.filesystem.steps.isEmpty)
    }

    // MARK: - S11: the process is what the record says

    @Test("S11: a process without the profile's namespaces is not the box") func namespaces() {
        #expect(refusal(box([.mount])) { $0.namespaces.unshare = [.mount, .pid] }?.contains("pid namespace") == true)
        #expect(refusal(box([.mount, .pid])) { $0.namespaces.unshare = [.mount, .pid] } == nil)
    }

    @Test("S11: nor is another user's") func owner() {
        let other = box([.user]) { $0.owner = 1000 }
        #expect(refusal(other)?.contains("belongs to user 1000") == true)
        #expect(refusal(other, host: host(uid: 1001))?.contains("belongs to user 1000") == true)
        #expect(refusal(other, host: host(uid: 1000)) == nil)
        // Without a user namespace root's box may run as anybody; a user's may not.
        let plain = box { $0.owner = 33 }
        #expect(refusal(plain) == nil)
        #expect(refusal(plain, host: host(uid: 1000)) != nil)
        // A joined one is whose it is.
        #expect(refusal(other) { $0.namespaces.join = [.user: .path("/proc/7/ns/user")] } == nil)
    }

    @Test("a group that the box's command has not is refused where it cannot be dropped") func groups() {
        let entry = box([.user]) {
            $0.owner = 1000
            ($0.groups, $0.callerGroups) = ([4], [4, 27])
        }
        #expect(refusal(entry, host: host(uid: 1000))?.contains("group 27") == true)
        let root = box { ($0.groups, $0.callerGroups) = ([4], [4, 27]) }
        #expect(refusal(root) == nil)
    }

    // MARK: - S12: filters

    @Test("S12: as many filters as the box's command has") func filters() throws {
        func denying(_ profile: inout Profile) { profile.security.userNamespaces = .deny }
        #expect(try !exec(box { $0.filters = 1 }) { denying(&$0) }.guardsTerminal)
        #expect(refusal(box { $0.filters = 0 }, denying)?.contains("not under the system call filter") == true)
        // One for a terminal that the caller has not.
        #expect(try exec(box { $0.filters = 1 }).guardsTerminal)
        #expect(try !exec(box()).guardsTerminal)
        // Those of the launcher's surroundings cannot be had elsewhere.
        let nested = box { ($0.filters, $0.inheritedFilters) = (2, 1) }
        #expect(refusal(nested, denying)?.contains("under 2 system call filters") == true)
        let inside = box { ($0.filters, $0.inheritedFilters, $0.callerFilters) = (2, 1, 1) }
        #expect(refusal(inside, denying) == nil)
        // Those that a command put on itself are its own affair, where that is known.
        let selfMade = box { ($0.filters, $0.inheritedFilters) = (3, 0) }
        #expect(refusal(selfMade, denying) == nil)
        #expect(refusal(box { $0.filters = 3 }, denying) != nil)
    }
}
