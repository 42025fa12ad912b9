import Addresses
import Glibc
import Kernel
public import Launch
import Profile
public import Switching

extension SwitchStore {
    /// The switches of the caller's own state directory.
    public static func ofCaller() throws(LaunchError) -> SwitchStore {
        SwitchStore(try translated { () throws(SystemError) in try StateDirectory.ofCaller() })
    }
}

extension LaunchError {
    /// What went wrong with a switch; `key` is the section that the interface's keys are in.
    public init(_ error: SwitchError, key: String? = nil) {
        self.init(key: error.key.flatMap { own in key.map { "\($0).\(own)" } } ?? key, error.text)
    }
}

/// Runs `body` and turns a switch's error into a launch's.
func switched<Result: ~Copyable>(
    _ key: String? = nil, _ body: () throws(SwitchError) -> Result
) throws(LaunchError) -> Result {
    do throws(SwitchError) { return try body() } catch { throw LaunchError(error, key: key) }
}

/// The interfaces of one launch, made while the box waits.
final class Interfaces {
    /// One of them.
    private final class Pending {
        let plan: InterfacePlan
        let chain: ChainPlan
        /// Its switch, until its port is made: nobody who stays beside the box keeps one from going.
        var prepared: PreparedSwitch?
        var port: Port?

        init(_ plan: InterfacePlan, _ chain: ChainPlan) { (self.plan, self.chain) = (plan, chain) }

        var spec: SwitchSpec? { prepared?.fabric.spec }
    }

    private var all: [Pending] = []
    private let owner: String?
    private let mayAdminister: Bool
    /// Whether nothing but its user keeps the box from administering its network.
    private let reliesOnUser: Bool
    private let store: SwitchStore
    private let registry: Registry
    /// A descriptor of the host's network namespace.
    let host: Int32

    /// Makes the switches that are missing. To be called in the host's namespaces.
    /// - Parameter chains: with their sandboxes, by the interface's place.
    /// - Returns: `nil` where the box has no interfaces.
    init?(_ plan: LaunchPlan, _ state: StateDirectory? = nil, _ chains: [ChainPlan] = []) throws(LaunchError) {
        if plan.interfaces.isEmpty { return nil }
        for (index, interface) in plan.interfaces.enumerated() {
            let chain = try chains.isEmpty ? Interfaces.chain(interface) : chains[index]
            all.append(Pending(interface, chain))
        }
        owner = plan.name
        mayAdminister = plan.security.capabilities.mayHold("NET_ADMIN", in: plan.process)
        reliesOnUser = plan.security.capabilities.keep == nil && !mayAdminister
        let directory: StateDirectory
        if let state {
            directory = state
        } else {
            directory = try translated { () throws(SystemError) in try StateDirectory.ofCaller() }
        }
        store = SwitchStore(directory)
        registry = Registry(directory)
        host = try translated { () throws(SystemError) in try ownNetworkNamespace().take() }
        for one in all {
            let plan = one.plan
            one.prepared = try switched(plan.key) { () throws(SwitchError) in try store.prepare(plan.interface) }
            guard let name = plan.interface.switchName, one.spec?.hasDNS == true else { continue }
            try registry.startNameServer(of: name, executable: OwnExecutable.path())
        }
    }

    private static func chain(_ interface: InterfacePlan) throws(LaunchError) -> ChainPlan {
        try switched(interface.key) { () throws(SwitchError) in try ChainPlan(interface.functions) }
    }

    deinit { close(host) }

    /// Must stay open until the interfaces are made.
    var descriptors: [Int32] { [host] + all.compactMap { $0.prepared?.fabric.namespace.number } }

    /// Whether one of them is held by the box's own end for no other reason than that its user is not root.
    var needUnprivilegedUser: Bool {
        guard reliesOnUser else { return false }
        return all.contains { $0.plan.interface.kind?.sharesDevice == true || $0.spec?.kind == .macvlan }
    }

    /// Those that have been made.
    var ports: [Port] { all.compactMap { $0.port } }

    /// That the networks there told.
    var nameServers: [IPAddress] { all.flatMap { $0.port?.nameServers ?? [] } }

    func attach(_ namespace: Int32, _ pid: Int32) throws(LaunchError) {
        let box = BoxReference(namespace: namespace, pid: pid, owner: owner, mayAdminister: mayAdminister)
        defer { for one in all { one.prepared = nil } }
        do throws(LaunchError) {
            for one in all { try attach(one, to: box) }
        } catch {
            try switched { () throws(SwitchError) in try store.release(ports, of: owner ?? "-") }
            throw error
        }
    }

    private func attach(_ one: Pending, to box: BoxReference) throws(LaunchError) {
        let plan = one.plan
        one.port = try switched(plan.key) { () throws(SwitchError) in
            try store.attach(
                plan.interface, named: plan.name, to: box, host: host, on: one.prepared,
                chain: one.chain.hops.isEmpty ? nil : one.chain)
        }
        if !plan.interface.nameServers.contains(.auto) { one.port?.nameServers = [] }
        if let name = one.spec?.hasDHCP == true ? plan.interface.switchName : nil {
            try registry.renewLeases(of: name, executable: OwnExecutable.path())
        }
    }
}

extension Port {
    /// As a sandbox's record has it.
    var value: Value {
        .table([
            ("name", .string(name)), ("switch", switchName.map { .string($0) } ?? .null),
            ("attach", .string(attach.rawValue)), ("addresses", .strings(addresses.map { $0.description })),
            ("mac", mac.map { .string($0.description) } ?? .null), ("end", end.map { .string($0) } ?? .null),
            ("published", .strings(published.map { $0.description })),
            ("companion", companion.map { .string($0) } ?? .null), ("chain", .strings(chain)),
        ])
    }

    /// The opposite of ``value``; `nil` for what we did not write.
    init?(_ value: Value) {
        let fields = Fields(value)
        guard let name = fields.string("name"),
            let attach = fields.string("attach").flatMap({ Profile.Interface.Attach(rawValue: $0) }),
            let texts = fields.strings("addresses")
        else { return nil }
        let addresses = texts.compactMap { IPPrefix($0) }
        if addresses.count != texts.count { return nil }
        self.init(
            name: name, switchName: fields.string("switch"), attach: attach, addresses: addresses,
            mac: fields.string("mac").flatMap { MACAddress($0) }, end: fields.string("end"),
            published: (fields.strings("published") ?? []).compactMap { Publication($0) },
            companion: fields.string("companion"), chain: fields.strings("chain") ?? [])
    }
}
