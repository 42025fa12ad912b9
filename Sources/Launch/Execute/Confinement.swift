import Glibc
import Kernel
import Profile

/// What the command may do: identity, capabilities, Landlock and the system call filter.
struct Confinement {
    private let plan: LaunchPlan

    init(_ plan: LaunchPlan) { self.plan = plan }

    /// Compiles the filter while errors can still be told, and anything still undone.
    func compileFilter() throws(LaunchError) -> SeccompProgram? {
        guard let filter = try SystemCallFilter(plan).filter() else { return nil }
        do throws(SeccompError) {
            return try filter.compile()
        } catch {
            throw LaunchError(key: "security.seccomp", error.message)
        }
    }

    /// Takes the box's identity and gives everything else away but what the filter needs.
    func drop(to identity: BoxIdentity?) throws(LaunchError) {
        try setCapabilities(identity)
        if plan.process.noNewPrivileges {
            try attributed(to: "process.no-new-privileges") { () throws(SystemError) in try noNewPrivileges() }
        }
        if plan.process.sessionKeyring {
            try attributed(to: "process.session-keyring") { () throws(SystemError) in try joinNewSessionKeyring() }
        }
        if let mask = plan.process.umask { umask(mask) }
    }

    /// The last step before execve(2).
    func seal(_ filter: SeccompProgram?) throws(LaunchError) {
        guard let filter else { return }
        do throws(SystemError) {
            try filter.install()
        } catch {
            throw Confinement.refusal(error)
        }
    }

    /// The error of a filter that the kernel does not take.
    static func refusal(_ error: SystemError) -> LaunchError {
        let mend = "set process.no-new-privileges = true, or keep CAP_SYS_ADMIN"
        return LaunchError(key: "security.seccomp", error.message, mend: error.code == EACCES ? mend : nil)
    }

    // MARK: - Capabilities

    private func setCapabilities(_ identity: BoxIdentity?) throws(LaunchError) {
        let key = "security.capabilities"
        let held = try attributed(to: key) { () throws(SystemError) in try CapabilityState.current() }
        // Another user is no reason for more than the box's own command had.
        let isRoot = (identity?.uid ?? getuid()) == 0 && (plan.entry?.box.uid ?? 0) == 0
        if isRoot, plan.mustNotBeRoot {
            throw LaunchError(
                key: "process.user",
                "\"\(plan.process.user ?? "")\" is root in the box, and could lift what holds its interface",
                mend: "give security.capabilities.keep without NET_ADMIN, or name the user root")
        }
        let state = try wanted(held, isRoot: isRoot)
        let credentials = identity.map { Credentials(uid: $0.uid, gid: $0.gid, groups: $0.groups) }
        try attributed(to: identity == nil ? key : "process.user") { () throws(SystemError) in
            do throws(SystemError) {
                try applyCredentials(credentials, state, over: held)
            } catch {
                guard error.code == EINVAL, error.action.hasPrefix("become ") else { throw error }
                throw SystemError(
                    error.action, code: EINVAL,
                    mend: "the user namespace does not map it: set process.user and process.group to ids that it maps")
            }
        }
    }

    /// The five sets: what the profile names exactly, else what `keep` implies, else everything for root in the box
    /// and nothing for others.
    private func wanted(_ held: CapabilityState, isRoot: Bool) throws(LaunchError) -> CapabilityState {
        let profile = plan.security.capabilities
        var state = held
        state.inheritable = []
        state.ambient = try set(profile.ambient, "ambient")
        let mayDropBounding = held.effective.contains(.setpcap)
        if let keep = profile.keep {
            state.bounding = try set(keep, "keep").intersection(held.bounding)
            state.permitted = try set(keep, "keep").intersection(held.permitted)
        } else if !isRoot {
            state.bounding = mayDropBounding ? state.ambient : held.bounding
            state.permitted = state.ambient
        }
        state.inheritable = state.ambient
        if let bounding = profile.bounding { state.bounding = try set(bounding, "bounding") }
        if let permitted = profile.permitted { state.permitted = try set(permitted, "permitted") }
        state.effective = state.permitted
        if let effective = profile.effective { state.effective = try set(effective, "effective") }
        if let inheritable = profile.inheritable { state.inheritable = try set(inheritable, "inheritable") }
        state.securebits = try secureBits(held.securebits)
        if let box = plan.entry?.box { state.restrict(to: box) }
        return state
    }

    private func set(_ names: [String], _ name: String) throws(LaunchError) -> CapabilitySet {
        var set: CapabilitySet = []
        for text in names {
            if text.uppercased() == "ALL" {
                set = .ofKernel
            } else if let capability = Capability(text) {
                set = set.union(CapabilitySet(capability))
            } else {
                throw LaunchError(
                    key: "security.capabilities.\(name)", "unknown capability \"\(text)\"", mend: "see capabilities(7)")
            }
        }
        return set
    }

    private func secureBits(_ held: SecureBits) throws(LaunchError) -> SecureBits {
        var bits = held
        for name in plan.security.securebits {
            guard let bit = SecureBits(name) else {
                throw LaunchError(key: "security.securebits", "unknown flag \"\(name)\"", mend: "see capabilities(7)")
            }
            bits.insert(bit)
        }
        return bits
    }
}

extension CapabilityState {
    /// Gives up what the command of the box that is entered cannot have.
    fileprivate mutating func restrict(to box: BoxFacts) {
        bounding = bounding.intersection(box.bounding)
        permitted = permitted.intersection(box.permitted).intersection(box.bounding)
        effective = effective.intersection(permitted)
        inheritable = inheritable.intersection(box.bounding)
        ambient = ambient.intersection(permitted).intersection(inheritable)
    }
}
