import Addresses
import Glibc
import Kernel
import Netlink
import Profile

/// Makes a port of a bridge: the switch's end and the box's, from outside both.
struct PortMaker: ~Copyable {
    private let spec: SwitchSpec
    private let plan: PortPlan
    private let owner: String?
    /// In the switch's namespace.
    private let socket: NetlinkSocket
    private let namespace: Int32
    /// In the box's.
    private let box: NetlinkSocket
    private let boxNamespace: Int32
    /// The host's, where the calling thread is.
    private let host: Int32
    private let cursor: Cursor
    private let directory: String
    private let way: InterfacePrograms.Way

    /// Whether queues are made at the switch's end. A queue for one that is up loses what is being sent, and takes 20 ms.
    private var hasQueues: Bool { !plan.rate.isEmpty || way == .filters }

    init(
        _ plan: PortPlan, of fabric: borrowing Switch, to boxNamespace: Int32, from host: Int32, owner: String?,
        by way: InterfacePrograms.Way
    ) throws(SystemError) {
        let socket = try NetlinkSocket(in: fabric.namespace.number, from: host)
        let box = try NetlinkSocket(in: boxNamespace, from: host)
        let cursor = try Cursor(fabric.openFolder())
        self.socket = socket
        self.box = box
        self.cursor = cursor
        spec = fabric.spec
        self.plan = plan
        self.owner = owner
        namespace = fabric.namespace.number
        self.way = way
        directory = fabric.directory
        self.boxNamespace = boxNamespace
        self.host = host
    }

    /// - Parameter prepare: puts in force what is to hold from the first frame on.
    func make(
        for reference: BoxReference, _ prepare: (Port) throws(SwitchError) -> Port
    ) throws(SwitchError) -> Port {
        let star = BridgeStar(spec, namespace: namespace, directory: directory)
        let made = try makeLink(star)
        let link = made.link
        var leased = BoxEnd.Leased()
        if plan.isDynamic {
            leased = try leaseDynamically(link, reference)
        } else {
            leased.addresses = try lease(link, from: made.number)
        }
        let addresses = leased.addresses
        // An entry of the forwarding table is in the VLANs that the port is in by then.
        try attributed(to: plan.vlan != nil ? "vlan" : "trunk") { () throws(SystemError) in
            if !plan.isDynamic { try limitVLANs(link) }
        }
        let isOneOfMany = try star.announce(
            BridgeStar.Station(mac: plan.mac, vlans: vlans, addresses: addresses), on: made.bridge,
            known(link, addresses), socket)
        try guardPort(link, leased, isOneOfMany: isOneOfMany)
        guard let end = link.other else { throw SwitchError("the port's end in the box cannot be found") }
        let companion = try PortShaper(plan, switchEnd: link.name)?.hold(link, socket)
        // A chain comes while traffic flows.
        try attributed { () throws(SystemError) in
            try InterfacePrograms(in: namespace, by: way).prepare(link.index)
        }
        var port = Port(
            name: plan.name, switchName: spec.name, attach: .veth, addresses: addresses, mac: plan.mac, end: link.name,
            companion: companion)
        port.nameServers = leased.nameServers
        do throws(SwitchError) {
            let port = try prepare(port)
            if hasQueues {
                try attributed { () throws(SystemError) in
                    try socket.send(.change(.index(link.index), LinkChange(isUp: true)))
                }
            }
            if !plan.isDynamic { try BoxEnd(plan, end).setUp(box, addresses) }
            return port
        } catch {
            guard let companion else { throw error }
            try attributed { () throws(SystemError) in try socket.send(.delete(.name(companion))) }
            throw error
        }
    }

    // MARK: - The pair

    private struct Made {
        /// The switch's end.
        var link: Link
        /// What that is numbered.
        var number: UInt64
        /// The index of its bridge.
        var bridge: Int32
    }

    /// Both ends in one message, the switch's one on a bridge.
    private func makeLink(_ star: BridgeStar) throws(SwitchError) -> Made {
        let last = try attributed { () throws(SystemError) in try cursor.bridge() }
        var place = try star.bridge(last, socket)
        for _ in 0..<10_000 {
            let number = try attributed { () throws(SystemError) in try cursor.advance() }
            var end = LinkOptions(FabricName.port(number), mtu: UInt32(plan.mtu), group: FabricGroup.ports)
            end.master = place.index
            let peer = LinkOptions(
                plan.name, address: plan.mac, mtu: UInt32(plan.mtu), namespace: boxNamespace)
            let made: Link
            do throws(SystemError) {
                made = try socket.create(LinkSpec(end, .veth(peer: peer)))
            } catch {
                switch error.code {
                // Of this number: another was faster, or the counter has been lost. In the box there is nothing yet.
                case EEXIST: continue
                // It has 1,023.
                case EXFULL: place = try star.room(socket)
                default: throw try explained(error)
                }
                continue
            }
            if number % BridgeStar.step == 0 { try moveOn(star, made.index) }
            if number % StaleElements.step == StaleElements.step - 1 {
                try attributed { () throws(SystemError) in try StaleElements.remove(in: namespace, socket) }
            }
            return Made(link: made, number: number, bridge: place.index)
        }
        throw SwitchError("the switch \"\(spec.name)\" has no number left for a port")
    }

    /// The kernel's word for a bridge that is not there is no more than EINVAL.
    private func explained(_ error: SystemError) throws(SwitchError) -> SwitchError {
        let bridge = try attributed { () throws(SystemError) in try socket.link(.index(FabricName.bridgeIndex)) }
        if bridge != nil { return SwitchError(error) }
        return SwitchError(
            "the switch \"\(spec.name)\" has lost its bridge",
            mend: "'sandbox switch delete -f \(spec.name)' forgets it")
    }

    /// Has those that come get their places on another bridge when this one is near its end.
    private func moveOn(_ star: BridgeStar, _ port: Int32) throws(SwitchError) {
        let made = try attributed { () throws(SystemError) in try socket.link(.index(port)) }
        guard let place = made?.portNumber, place >= BridgeStar.limit else { return }
        let next = try star.room(socket)
        try attributed { () throws(SystemError) in try cursor.set(bridge: next.number) }
    }

    // MARK: - Addresses

    /// Takes the addresses: the kernel refuses those that another port has.
    private func lease(_ link: Link, from number: UInt64) throws(SwitchError) -> [IPPrefix] {
        if let fixed = plan.fixed {
            try takeFixed(fixed, link)
            return fixed
        }
        let pool = AddressPool(subnets: spec.subnets)
        if spec.subnets.isEmpty { return [] }
        let size = pool.size
        for step in 0..<size {
            guard let addresses = pool.addresses((number &+ step) % size) else { continue }
            do throws(SystemError) {
                try socket.send(.add(alternativeNames: leases(addresses), to: .index(link.index)))
                if step > 0 { try cursor.set((number &+ step) &+ 1) }
                return addresses
            } catch {
                if error.code != EEXIST { throw SwitchError(error) }
            }
        }
        throw pool.usedUp(spec)
    }

    /// Asks a DHCP server, while nothing runs in the box yet that could send: the port is guarded afterwards.
    private func leaseDynamically(_ link: Link, _ reference: BoxReference) throws(SwitchError) -> BoxEnd.Leased {
        guard let end = link.other else { throw SwitchError("the port's end in the box cannot be found") }
        try attributed(to: plan.vlan != nil ? "vlan" : "trunk") { () throws(SystemError) in try limitVLANs(link) }
        try attributed { () throws(SystemError) in
            try socket.send(.change(.index(link.index), LinkChange(isUp: true)))
        }
        let boxEnd = BoxEnd(plan, end)
        try boxEnd.raise(box)
        return try boxEnd.lease(box, plan.mac, for: reference) { (address) throws(SwitchError) in
            try takeFixed([address], link)
        }
    }

    private func takeFixed(_ fixed: [IPPrefix], _ link: Link) throws(SwitchError) {
        for prefix in fixed {
            do throws(SystemError) {
                try EndingNamespace.outlast(where: { (error) throws(SystemError) in
                    guard error.code == EEXIST else { return false }
                    let holder = try holder(of: prefix.address)
                    return holder == nil || holder == owner
                }) { () throws(SystemError) in
                    try socket.send(.add(alternativeNames: leases([prefix]), to: .index(link.index)))
                }
            } catch {
                guard error.code == EEXIST else { throw SwitchError(error, key: "address") }
                let owner = try attributed { () throws(SystemError) in try holder(of: prefix.address) }
                throw .taken(prefix.address, by: owner)
            }
        }
    }

    /// The sandbox whose port has the address, `-` for one without a name.
    private func holder(of address: IPAddress) throws(SystemError) -> String? {
        try socket.link(.alternativeName(FabricName.lease(address)))?.alias.flatMap { PortLabel($0)?.owner }
    }

    private func leases(_ addresses: [IPPrefix]) -> [String] { addresses.map { FabricName.lease($0.address) } }

    // MARK: - What the switch knows of the port

    /// All that is known beforehand, so that the switch need not learn and flood.
    private func known(_ link: Link, _ addresses: [IPPrefix]) -> [NetlinkMessage] {
        var port = BridgePortOptions(isolated: plan.isIsolated ? true : nil)
        if plan.isGuarded {
            (port.learning, port.locked, port.unicastFlood) = (false, true, false)
            // The bridge answers for whom it knows, and floods nothing to the port.
            if spec.isStatic, !addresses.isEmpty { port.proxyARP = true }
        }
        let label = PortLabel(owner: owner, interface: plan.name, address: plan.mac)
        // One that is up from its making on, and its other end not yet, the kernel waits for: nobody may be sending.
        let isUp = hasQueues ? nil : true
        var messages: [NetlinkMessage] = [
            .change(.index(link.index), LinkChange(isUp: isUp, alias: label.text, port: port))
        ]
        messages.append(.replace(ForwardingEntry(plan.mac, port: link.index)))
        for prefix in addresses {
            messages.append(.replace(Neighbour(prefix.address, plan.mac, link: FabricName.bridgeIndex)))
        }
        return messages
    }

    private var vlans: [UInt16] {
        let own = (plan.vlan.map { [$0] } ?? []) + plan.trunk
        if own.isEmpty { return [spec.filtersVLANs ? 1 : 0] }
        return own.map { UInt16($0) }
    }

    private func limitVLANs(_ link: Link) throws(SystemError) {
        if plan.vlan == nil, plan.trunk.isEmpty { return }
        var vlans = plan.trunk.map { PortVLAN.trunk(UInt16($0)...UInt16($0)) }
        if let own = plan.vlan { vlans.append(.access(UInt16(own))) }
        // Every port begins in the bridge's own.
        if plan.vlan != 1 {
            try socket.send(.delete([.access(1)], fromPort: link.index))
        }
        try socket.send(.add(vlans, toPort: link.index))
    }

    /// Before the box's end is up nothing passes.
    private func guardPort(_ link: Link, _ leased: BoxEnd.Leased, isOneOfMany: Bool) throws(SwitchError) {
        let elements = PortElements(index: link.index)
        var messages: [NetlinkMessage] = []
        if plan.isGuarded, !leased.addresses.isEmpty {
            let linkLocal = spec.hasDHCPv6 ? .linkLocal(plan.mac) : leased.linkLocal
            messages += elements.guarding(plan.mac, leased.addresses + (linkLocal.map { [IPPrefix($0)] } ?? []))
            if spec.hasDHCP { messages.append(elements.asking(plan.mac)) }
        }
        if let rules = plan.rules { messages += elements.filtering(rules) }
        if isOneOfMany, plan.isIsolated { messages += elements.keepingApart() }
        if messages.isEmpty { return }
        try attributed(to: plan.rules == nil ? "spoofing" : "allow") { () throws(SystemError) in
            try NetfilterSocket(in: namespace, from: host).commit(messages)
        }
    }
}

/// Link groups of a switch's namespace (ip-link(8)).
enum FabricGroup {
    static let ports: UInt32 = 1
    /// What belongs to a port and stays when the port goes: see ``PortShaper``.
    static let companions: UInt32 = 2
}
