import Addresses
import Glibc
import Kernel
import Netlink
public import Profile

/// The box that an interface is made for.
public struct BoxReference: Sendable {
    /// A descriptor of its network namespace.
    public var namespace: Int32
    /// The process whose end is the box's: it waits while interfaces are made.
    public var pid: Int32
    /// The sandbox's name, where it has one.
    public var owner: String?
    /// Whether something in it can come to have CAP_NET_ADMIN over its network namespace.
    public var mayAdminister: Bool

    public init(namespace: Int32, pid: Int32, owner: String?, mayAdminister: Bool = true) {
        self.namespace = namespace
        self.pid = pid
        self.owner = owner
        self.mayAdminister = mayAdminister
    }

    /// - Throws: ESRCH when it has ended.
    func process() throws(SystemError) -> ProcessIdentity {
        guard let process = try ProcessIdentity(pid: pid) else {
            throw SystemError("look at process \(pid)", code: ESRCH)
        }
        return process
    }
}

/// A switch that is open from before a launch until its ports are made: it is read once.
public final class PreparedSwitch {
    public let fabric: Switch

    init(_ fabric: consuming Switch) { self.fabric = fabric }

    /// Whether it is there still, and does not go with its last port.
    fileprivate var stays: Bool {
        !fabric.spec.isTransient
            && NetworkNamespace.isKept(fabric.namespace.number, by: fabric.directory + "/" + File.namespace)
    }
}

extension SwitchStore {
    /// Makes the switch of an interface where there is none yet. To be called in the host's namespaces.
    /// - Returns: the switch, open; `nil` for an interface that is on none.
    public func prepare(_ interface: Profile.Interface) throws(SwitchError) -> PreparedSwitch? {
        guard let name = interface.switchName else { return nil }
        try SwitchStore.check(name)
        let fabric = try openOrCreate(name) { () throws(SwitchError) in
            let spec = try firstUse(name, interface)
            let names = NameRules.names(interface.allow)
            if !names.isEmpty { try NameRules.check(names, on: spec) }
            return spec
        }
        try bindNames(interface, fabric)
        if !interface.publish.isEmpty { try preparePublishing(interface, on: fabric) }
        return PreparedSwitch(fabric)
    }

    /// Makes an interface in a box. What fails leaves nothing that outlives the box's namespace.
    ///
    /// - Parameter name: the interface's name in the box.
    /// - Parameter host: a descriptor of the host's network namespace, which the calling thread is in.
    /// - Parameter prepared: what ``prepare(_:)`` gave for it.
    public func attach(
        _ interface: Profile.Interface, named name: String, to box: BoxReference, host: Int32,
        on prepared: PreparedSwitch?, chain: ChainPlan? = nil
    ) throws(SwitchError) -> Port {
        guard let switchName = interface.switchName else {
            switch interface.kind {
            case .user: return try UserPort(interface, name).make(box)
            case .physical: return try PhysicalPort(try deviceAlone(interface, name, box), interface, host).make(box)
            default: return try attachShared(interface, name, box, host)
            }
        }
        if interface.publish.isEmpty, let prepared, prepared.stays {
            return try attach(interface, named: name, to: box, host: host, chain, on: prepared.fabric)
        }
        // One that was made on first use may be about to go with its last port, or gone since it was prepared. Of two who
        // publish the same the second one is to know of the first.
        let lock = try lock()
        defer { lock.release() }
        let fabric = try openOrMake(switchName) { () throws(SwitchError) in try firstUse(switchName, interface) }
        return try attach(interface, named: name, to: box, host: host, chain, on: fabric)
    }

    /// What others are told of a port: rules by name, published ports, its name.
    private func complete(
        _ port: Port, _ plan: PortPlan, _ interface: Profile.Interface, _ box: BoxReference, _ host: Int32,
        on fabric: borrowing Switch
    ) throws(SwitchError) -> Port {
        if let rules = plan.rules { try allowNames(rules, port, fabric) }
        let published = try publish(plan, interface, port, fabric, host)
        guard fabric.spec.hasDNS else { return published }
        do throws(SwitchError) {
            try HostsFolder.enter(published, of: box.owner, fabric)
            if fabric.spec.hasDHCP { try enterLease(published, fabric) }
        } catch {
            try release([published], of: box.owner ?? "-")
            throw error
        }
        return published
    }

    private func attach(
        _ interface: Profile.Interface, named name: String, to box: BoxReference, host: Int32,
        _ chain: ChainPlan?, on fabric: borrowing Switch
    ) throws(SwitchError) -> Port {
        let switchName = fabric.spec.name
        let plan = try PortPlan(interface, name: name, on: fabric.spec, owner: box.owner)
        switch fabric.spec.kind {
        case .bridge:
            if interface.kind != .veth {
                throw SwitchError(
                    key: "attach",
                    "the switch \"\(switchName)\" is a bridge: interfaces of kind \(interface.kind?.rawValue ?? "") would "
                        + "share one port of it, where none can be kept from sending with another's addresses",
                    mend: "write \"veth\", or make a switch with --kind macvlan")
            }
            let maker = try attributed { () throws(SystemError) in
                try PortMaker(plan, of: fabric, to: box.namespace, from: host, owner: box.owner, by: way)
            }
            var end = ""
            let port: Port
            do throws(SwitchError) {
                port = try maker.make(for: box) { (port) throws(SwitchError) in
                    end = port.end ?? ""
                    return try chain.map { plan throws(SwitchError) in try makeChain(plan, of: port, on: fabric) }
                        ?? port
                }
            } catch {
                if chain != nil { try releaseChains([end], on: fabric) }
                throw error
            }
            do throws(SwitchError) {
                return try complete(port, plan, interface, box, host, on: fabric)
            } catch {
                try releaseCompanions([port], on: fabric)
                try releaseChains([port.end ?? ""], on: fabric)
                throw error
            }
        case .macvlan:
            if interface.kind == .veth, interface.attach != nil {
                throw SwitchError(
                    key: "attach", "the switch \"\(switchName)\" has ports of kind macvlan", mend: "write \"macvlan\"")
            }
            if chain != nil {
                throw SwitchError(
                    key: "chain", "ports of a macvlan switch pass no place where functions could be",
                    mend: "use a switch of kind bridge")
            }
            let port = try SharedPort(
                plan, parent: fabric.spec.parent ?? "", mode: interface.mode, sources: interface.sources, host: host
            ).make(box, on: fabric)
            if fabric.spec.hasDNS { try HostsFolder.enter(port, of: box.owner, fabric) }
            return port
        }
    }

    /// On a device of the host, without a switch.
    private func attachShared(
        _ interface: Profile.Interface, _ name: String, _ box: BoxReference, _ host: Int32
    ) throws(SwitchError) -> Port {
        try SharedPort(
            try deviceAlone(interface, name, box), parent: interface.device ?? "", mode: interface.mode,
            sources: interface.sources, host: host
        ).make(box)
    }

    private func deviceAlone(
        _ interface: Profile.Interface, _ name: String, _ box: BoxReference
    ) throws(SwitchError) -> PortPlan {
        var spec = SwitchSpec(name: "none")
        spec.kind = .macvlan
        if interface.address == .auto {
            throw SwitchError(
                key: "address", "a device without a switch has no addresses to give",
                mend: "name one, write \"none\", or make a switch with --kind macvlan and a subnet")
        }
        return try PortPlan(interface, name: name, on: spec, owner: box.owner)
    }

    /// What a switch is that nobody has declared: with the network of the addresses that are asked for, or one of ours.
    private func firstUse(_ name: String, _ interface: Profile.Interface) throws(SwitchError) -> SwitchSpec {
        if !interface.dynamicFamilies.isEmpty {
            throw SwitchError(
                key: "address", "on a switch that is made on first use nobody gives addresses by DHCP",
                mend: "write \"auto\", or make the switch with --uplink and a device that leads to a DHCP server")
        }
        var spec = SwitchSpec(name: name)
        spec.isTransient = true
        if case .fixed(let prefixes) = interface.address {
            for prefix in prefixes where prefix.length < prefix.family.width - 1 {
                let hosts = prefix.hosts
                let own = hosts.lowerBound == prefix.address ? hosts.upperBound : hosts.lowerBound
                if let subnet = IPPrefix(own, length: prefix.length) { spec.subnets.append(subnet) }
            }
        } else {
            spec.subnets = [try freeSubnet()]
        }
        return spec
    }
}
