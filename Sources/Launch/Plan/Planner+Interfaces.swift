import Kernel
import Profile

extension Planner {
    /// The interfaces with their names: what the profile says, a moved device's own, or the first of eth0, eth1 and so
    /// on that is free.
    func interfaces(_ network: Profile.Network) throws(LaunchError) -> [InterfacePlan] {
        var plans: [InterfacePlan] = []
        try add(network.interface, "network", to: &plans)
        for (index, interface) in network.more.enumerated() {
            try add(interface, "network.more[\(index)]", to: &plans)
        }
        var number: UInt64 = 0
        for index in plans.indices where plans[index].name.isEmpty {
            while plans.contains(where: { $0.name == "eth" + decimalDigits(number) }) { number += 1 }
            plans[index].name = "eth" + decimalDigits(number)
        }
        return plans
    }

    /// With the name that it is given, or none yet.
    private func add(
        _ interface: Profile.Interface, _ key: String, to plans: inout [InterfacePlan]
    ) throws(LaunchError) {
        guard interface.kind?.makesInterface == true else { return }
        try check(interface, key)
        let given = interface.name ?? (interface.kind == .physical ? interface.device : nil)
        plans.append(
            InterfacePlan(
                key: key, name: given ?? "", interface: interface, functions: try functions(interface, key)))
    }

    private func functions(_ interface: Profile.Interface, _ key: String) throws(LaunchError) -> [ResolvedFunction] {
        if interface.chain.isEmpty { return [] }
        let functions = try host.functions(interface.chain, "\(key).chain")
        for function in functions {
            if !function.limits.isEmpty, !interface.rate.isEmpty {
                throw LaunchError(
                    key: "\(key).rate", "\"\(function.reference)\" in the chain limits the interface too",
                    mend: "take one of them out")
            }
        }
        return functions
    }

    private func check(_ interface: Profile.Interface, _ key: String) throws(LaunchError) {
        guard let kind = interface.kind else { return }
        if kind != .user, !host.privileged {
            throw LaunchError(
                key: "\(key).attach", "an interface of kind \(kind.rawValue) needs root",
                mend: "run as root, or use attach = \"user\"")
        }
    }

    /// Whether the box must not have sockets that send past its own end of an interface.
    func hidesNoFrames(_ profile: Profile) throws(LaunchError) -> Bool {
        guard try mayHideFrames(profile) else { return false }
        // Who has neither gets no filter.
        if !profile.process.noNewPrivileges, !profile.security.capabilities.mayHold("SYS_ADMIN", in: profile.process) {
            throw LaunchError(
                key: "process.no-new-privileges",
                "nothing else keeps a box with NET_RAW from sending frames past what holds its interface",
                mend: "set it to true, or take NET_RAW out of security.capabilities.keep")
        }
        return true
    }

    /// Whether something in the box could send frames past what its own end of an interface is held by: sockets for
    /// whole frames need CAP_NET_RAW, and who may have CAP_NET_ADMIN is held by nothing there.
    func mayHideFrames(_ profile: Profile) throws(LaunchError) -> Bool {
        func may(_ capability: String) -> Bool {
            profile.security.capabilities.mayHold(capability, in: profile.process)
        }
        guard may("NET_RAW"), !may("NET_ADMIN") else { return false }
        for interface in profile.network.interfaces {
            if interface.spoofing == .allow, interface.allow == nil, interface.rate.isEmpty { continue }
            switch interface.attach {
            case .macvlan?, .macvtap?: return true
            // What it is is the switch's to say.
            case nil: if let name = interface.switchName, try host.sharesDevice(name) { return true }
            default: break
            }
        }
        return false
    }

    /// The character devices of interfaces whose program speaks Ethernet itself.
    func tapSteps(
        _ interfaces: [InterfacePlan], _ filesystem: Profile.Filesystem, _ unshare: NamespaceSet
    ) throws(LaunchError) -> [MountStep] {
        let taps = interfaces.filter { $0.interface.kind == .macvtap }
        guard let first = taps.first else { return [] }
        let hasOwnDevices = filesystem.privateAreas.contains(.dev) || (filesystem.root ?? "/") != "/"
        guard unshare.contains(.mount), hasOwnDevices, !unshare.contains(.user) else {
            throw LaunchError(
                key: "\(first.key).attach",
                "the character device of a \"macvtap\" needs a /dev of the box's own, made by root",
                mend: "set filesystem.private = [\"dev\"] in a mount namespace without a user namespace")
        }
        return taps.map { MountStep("\($0.key).attach", .tap(interface: $0.name)) }
    }
}
