import Glibc
import Kernel
public import Launch
public import Profile
import Switching

/// A named sandbox of the caller's; launches of new ones.
///
/// The value holds nothing open: every method looks the sandbox up anew.
public struct Sandbox: Sendable {
    /// Its name in the registry.
    public let name: String
    /// Where it is entered.
    public let registry: Registry

    /// The sandbox `name` of the caller's registry.
    /// - Throws: when there is none, or what is known of it cannot be trusted.
    public init(_ name: String) throws(LaunchError) { try self.init(name, in: .ofCaller()) }

    /// The sandbox `name` of a registry.
    /// - Throws: when there is none, or what is known of it cannot be trusted.
    public init(_ name: String, in registry: Registry) throws(LaunchError) {
        self.name = name
        self.registry = registry
        _ = try registry.record(name)
    }

    init(_ name: String, _ registry: Registry) {
        self.name = name
        self.registry = registry
    }

    /// What is known of it, up to date.
    /// - Throws: when it has been removed, or is one that leaves no record and has ended.
    public func record() throws(LaunchError) -> SandboxRecord {
        guard let record = try registry.settle(name) else { throw Registry.unknown(name) }
        return record
    }

    /// What launching `profile` as `request` asks for would do on this host.
    public static func plan(_ profile: Profile, _ request: LaunchRequest) throws(LaunchError) -> LaunchPlan {
        var name = request.name
        if name == nil, request.isDetached {
            name = try Registry.ofCaller().freeName(for: request.command.first ?? profile.process.command.first ?? "")
        }
        var facts = try hostFacts()
        facts.nameServers = request.function?.client?.nameServers ?? []
        let planner = Planner(host: facts)
        var plan = try planner.plan(profile, command: request.command, name: name, isDetached: request.isDetached)
        let hasFunctions = plan.interfaces.contains { $0.functions.contains { $0.placement != .inline } }
        if name == nil, hasFunctions {
            // Its functions are sandboxes, which are known by its name.
            let made = try Registry.ofCaller().freeName(for: plan.command.first ?? "")
            plan = try planner.plan(profile, command: request.command, name: made, isDetached: false)
        }
        plan.isFunction = request.function != nil
        return plan
    }

    static func hostFacts() throws(LaunchError) -> HostFacts {
        var facts = try HostFacts.current { sandbox throws(LaunchError) in
            guard let record = try Registry.ofCaller().settle(sandbox), record.phase == .running else { return nil }
            return record.namespaceDirectory
        }
        facts.configuration = ProfileStore.ownConfiguration
        facts.resolver = { name throws(LaunchError) in
            let store = try SwitchStore.ofCaller()
            return try switched { () throws(SwitchError) in try store.resolver(of: name) }
        }
        facts.sharesDevice = { name throws(LaunchError) in
            let store = try SwitchStore.ofCaller()
            return try switched { () throws(SwitchError) in try store.find(name)?.kind == .macvlan }
        }
        facts.functions = { references, key throws(LaunchError) in
            do throws(ProfileError) {
                return try ProfileStore.ofCaller().resolve(references, key: key)
            } catch {
                throw LaunchError(key: error.key, error.problem, mend: error.mend)
            }
        }
        return facts
    }

    /// Runs a plan in the foreground, or detached where the request says so: then it returns 0 once the command has
    /// begun.
    ///
    /// Without supervision this process becomes the command and nothing returns. The process must have one thread.
    /// - Parameter arguments: the command's words byte for byte, where the plan has them as text only.
    /// - Parameter shrinks: whether the waiter may give its memory back. Then it does not return either, and the
    ///   executable must answer to `--finish` with ``finish(_:)``.
    /// - Parameter notice: told what is worth knowing and no error.
    /// - Parameter held: descriptors that the caller needs afterwards; all others but 0, 1 and 2 are closed.
    /// - Returns: the command's exit status, or 128 + N when signal N ended it.
    public static func run(
        _ plan: LaunchPlan, _ request: LaunchRequest, arguments: CommandWords? = nil, shrinks: Bool = false,
        held: [Int32] = [], notice: @escaping (String) -> Void = { _ in }
    ) throws(LaunchError) -> Int32 {
        guard let name = plan.name else {
            return try runUnnamed(plan, arguments, shrinks, notice)
        }
        // The program begins anew for it: with nothing entered and nothing locked.
        if !plan.namespaces.join.isEmpty { try Launcher.protectExecutable() }
        let registry = try Registry.ofCaller()
        let lock = try registry.lock(name)
        if let old = try registry.settle(lock), old.phase == .running || old.phase == .created {
            throw LaunchError("a sandbox named \"\(name)\" is running already", mend: "'sandbox stop \(name)' ends it")
        }
        let launch = NamedLaunch(
            registry, plan, arguments, shrinks: shrinks || plan.detachment != nil, held: held,
            notice: notice)
        var request = request
        if request.name == nil, !request.isDetached { (request.name, request.removesRecord) = (name, true) }
        return try launch.begin(request, lock)
    }

    private static func runUnnamed(
        _ plan: LaunchPlan, _ arguments: CommandWords?, _ shrinks: Bool, _ notice: @escaping (String) -> Void
    ) throws(LaunchError) -> Int32 {
        var context = LaunchContext(arguments: arguments, remains: shrinks ? Remains() : nil)
        context.notice = notice
        var plan = plan
        if let interfaces = try Interfaces(plan) {
            plan.mustNotBeRoot = interfaces.needUnprivilegedUser
            context.held = interfaces.descriptors
            context.network = interfaces.host
            context.attach = { namespace, pid throws(LaunchError) in
                try interfaces.attach(namespace, pid)
                return interfaces.nameServers
            }
        }
        return try Launcher.run(plan, context)
    }

    /// Clears away what a box left, for a waiter that became this process.
    /// - Parameter words: the status that the command ended with and what remains.
    /// - Returns: that status.
    public static func finish(_ words: [String]) throws(LaunchError) -> Int32 {
        CrashPoint.enter("finish")
        guard let status = words.first.flatMap({ UInt8($0) }), let remains = Remains(words: Array(words.dropFirst()))
        else { throw LaunchError("\(Remains.option) is for the launcher itself", mend: "see sandbox --help") }
        guard let record = remains.record else {
            try remains.removeGroups()
            return Int32(status)
        }
        let registry = Registry(StateDirectory(path: record.directory))
        return try registry.finish(record.name, status: Int32(status))
    }
}

extension SandboxRecord {
    /// A directory with its namespaces. Without root a box's init cannot be looked into, because it is still an image
    /// of ours; the application can.
    public var namespaceDirectory: String? {
        guard let process else { return nil }
        var target: CChar = 0
        if readlink("/proc/\(process.pid)/ns/user", &target, 1) > 0 { return "/proc/\(process.pid)/ns" }
        return "/proc/\((application ?? process).pid)/ns"
    }
}

extension Registry {
    /// A name for a sandbox that was given none: the command's, and four digits.
    func freeName(for command: String) throws(LaunchError) -> String {
        let base = command.split(separator: "/").last.map { String($0) } ?? ""
        var stem = ""
        for character in base where Registry.isName(stem + String(character)) { stem.append(character) }
        if stem.isEmpty { stem = "sandbox" }
        if stem.utf8.count > 56 { stem = String(stem.prefix(56)) }
        while true {
            var digits = String(UInt16.random(in: 0...UInt16.max), radix: 16)
            while digits.utf8.count < 4 { digits = "0" + digits }
            let name = stem + "-" + digits
            if try find(name) == nil { return name }
        }
    }
}
