import Addresses
import CLinux
import Glibc
public import Kernel
import Netlink
import Profile

/// A box that has ports, as its record tells.
public struct BoxOnSwitch: Sendable {
    public var process: ProcessIdentity
    public var owner: String?
    public var ports: [Port]

    public init(process: ProcessIdentity, owner: String?, ports: [Port]) {
        (self.process, self.owner, self.ports) = (process, owner, ports)
    }
}

extension Switch {
    /// The switch as the kernel shows it at this moment.
    ///
    /// - Parameter boxes: where to look for ports that share a device of the host's: the switch does not see those.
    public borrowing func view(_ boxes: [BoxOnSwitch]) throws(SwitchError) -> SwitchView {
        var view = SwitchView(spec)
        switch spec.kind {
        case .bridge: try FabricLook(self).look(&view)
        case .macvlan: try lookAtSharedPorts(boxes, &view)
        }
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        view.time = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        return view
    }
}

extension PortView {
    fileprivate mutating func take(_ plan: ChainPlan?, among links: [Link]) {
        guard let plan else { return }
        chain = plan.references
        functions = plan.hops.map { hop in
            let ends = [hop.pair?.inner, hop.pair?.outer].compactMap { $0 }
            let isThere = ends.allSatisfy { end in links.contains { $0.name == end } }
            return ChainedFunction(
                hop.function.reference, sandbox: hop.box, isAlive: !hop.hasBox || (!ends.isEmpty && isThere))
        }
    }
}

/// Ports of a bridge, each list of the kernel's read once for all of them.
private struct FabricLook: ~Copyable {
    private let spec: SwitchSpec
    private let socket: NetlinkSocket
    private let filter: NetfilterSocket
    /// By the port's name.
    private let chains: [String: ChainPlan]

    init(_ fabric: borrowing Switch) throws(SwitchError) {
        do throws(SystemError) {
            let socket = try NetlinkSocket(in: fabric.namespace.number)
            let filter = try NetfilterSocket(in: fabric.namespace.number)
            chains = try fabric.chains()
            spec = fabric.spec
            self.socket = socket
            self.filter = filter
        } catch {
            throw SwitchError(error)
        }
    }

    func look(_ view: inout SwitchView) throws(SwitchError) {
        let links = try attributed { () throws(SystemError) in try socket.links() }
        guard links.contains(where: { $0.name == FabricName.bridge }) else {
            throw SwitchError(
                "the switch \"\(spec.name)\" has lost its bridge",
                mend: "'sandbox switch delete -f \(spec.name)' forgets it")
        }
        try attributed { () throws(SystemError) in
            let guarded = try indexes(PortElements.guardSet("guarded"))
            let filtered = try indexes(PortElements.ruleSet("filtered"))
            let vlans = spec.filtersVLANs ? try socket.vlans() : [:]
            let queues = try socket.qdiscs()
            for link in links where link.group == FabricGroup.ports && FabricName.isPort(link.name) {
                var port = PortView(link)
                port.isGuarded = guarded.contains(link.index) || link.port?.locked == true
                port.isFiltered = filtered.contains(link.index)
                port.take(vlans[link.index] ?? [])
                try takeRates(&port, link, links, queues)
                port.take(chains[link.name], among: links)
                view.ports.append(port)
            }
            func packets(_ name: String, _ table: String) throws(SystemError) -> UInt64? {
                try filter.counters(of: .bridge, table: table).first { $0.name == name }?.packets
            }
            view.spoofed = try packets("spoofed", Ruleset.guardTable)
            view.refused = try packets("refused", Ruleset.rulesTable)
        }
    }

    /// The interfaces that a set of ``Ruleset`` holds.
    private func indexes(_ set: NetfilterSet) throws(SystemError) -> Set<Int32> {
        var indexes: Set<Int32> = []
        for element in try filter.elements(of: set) where element.key.count >= 4 {
            indexes.insert(element.key.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) })
        }
        return indexes
    }

    /// To the box a queue at its port limits, from the box one at the port or where its frames are led first.
    private func takeRates(
        _ port: inout PortView, _ link: Link, _ links: [Link], _ queues: [TrafficState]
    ) throws(SystemError) {
        let own = queues.filter { $0.link == link.index }
        port.ingressRate = try limit(at: link.index, own)
        port.counters.receivedDropped += own.reduce(0) { $0 + $1.dropped }
        // A chain's queues count for its functions; the port's own is behind its rules, where it has some.
        let companion = PortShaper.companion(of: link.name)
        for place in links where place.name == companion && place.group == FabricGroup.companions {
            let place = place.index
            let there = queues.filter { $0.link == place }
            port.egressRate = try limit(at: place, there)
            port.counters.sentDropped += there.reduce(0) { $0 + $1.dropped }
        }
    }

    /// Bits per second.
    private func limit(at link: Int32, _ queues: [TrafficState]) throws(SystemError) -> UInt64? {
        if let rate = queues.first(where: { $0.kind == "tbf" })?.limit?.rate { return rate &* 8 }
        guard queues.contains(where: { $0.kind == "htb" }) else { return nil }
        return try socket.classes(of: link).compactMap { $0.ceiling?.rate }.min().map { $0 &* 8 }
    }
}

extension PortView {
    fileprivate init(_ link: Link) {
        let label = link.alias.flatMap { PortLabel($0) }
        self.init(interface: label?.interface ?? "?")
        end = link.name
        owner = label.flatMap { $0.owner == "-" ? nil : $0.owner }
        mac = label?.address
        addresses = link.alternativeNames.compactMap { IPAddress($0) }
        isUp = link.isUp && link.hasCarrier
        isIsolated = link.port?.isolated == true
        counters = link.counters.turnedRound
        counters.name = interface
    }

    fileprivate mutating func take(_ vlans: [PortVLAN]) {
        vlan = vlans.first { $0.isDefault }?.ids.lowerBound
        trunk = vlans.filter { !$0.isUntagged }.map { $0.ids }
    }
}

extension Switch {
    /// Its network namespace alone.
    public consuming func takeNamespace() -> Descriptor { namespace }
}
