import Addresses
import Glibc
import Kernel
import Netlink
import Profile

extension SwitchStore {
    /// Most ports of an interface that are published: they are entered together or not at all.
    private static let limit = 1000

    /// Makes the way from the host to a switch, before the box is there. To be called in the host's namespaces.
    func preparePublishing(_ interface: Profile.Interface, on fabric: borrowing Switch) throws(SwitchError) {
        if fabric.spec.kind == .macvlan {
            throw SwitchError(
                key: "publish", "a macvlan switch is not reached by its host", mend: "reach the box by its address")
        }
        if interface.publish.reduce(0, { $0 + $1.ports.count }) > SwitchStore.limit {
            throw SwitchError(
                key: "publish", "more than \(SwitchStore.limit) ports", mend: "give the box an address to be reached by"
            )
        }
        let lock = try lock()
        defer { lock.release() }
        try openWay(interface, fabric)
    }

    /// For one who has the lock.
    private func openWay(_ interface: Profile.Interface, _ fabric: borrowing Switch) throws(SwitchError) {
        try ensureLink(fabric)
        let host = try fabric.host()
        let settings = try attributed { () throws(SystemError) in try HostSettings(state, host: host.number) }
        let asked = Set(interface.publish.map { $0.address })
        try Forwarding(host: host.number).openForCallers(at: asked, fabric.spec, settings)
    }

    /// Lets ports of the host lead to a port; all of them or none. For one who has the lock where anything is published.
    func publish(
        _ plan: PortPlan, _ interface: Profile.Interface, _ port: Port, _ fabric: borrowing Switch, _ host: Int32
    ) throws(SwitchError) -> Port {
        var port = port
        if fabric.reachesHost {
            // Who had the address before may have been killed.
            try attributed { () throws(SystemError) in
                try FabricPermits(namespace: fabric.namespace.number).drop(Set(port.addresses.map { $0.address }))
            }
        }
        if plan.publications.isEmpty { return port }
        var ports: [PublishedPort] = []
        for publication in plan.publications { ports += try publication.ports(to: port.addresses) }
        // The switch can be another than the one that was prepared.
        if !fabric.reachesHost { try openWay(interface, fabric) }
        for (index, one) in ports.enumerated() {
            if let other = ports[..<index].first(where: { $0.collides(with: one) }) {
                throw SwitchError(key: "publish", "\(one.text) and \(other.text) are the same", mend: "take one out")
            }
        }
        try makeRoom(for: ports, host)
        for one in ports { try HostPorts(host: host).check(one) }
        let unrouted = port.addresses.map { $0.address }.filter { address in
            !plan.defaultRoutes.contains { $0 == fabric.spec.gateway(address.family) }
        }
        try attributed(to: "publish") { () throws(SystemError) in
            try FabricPermits(namespace: fabric.namespace.number).add(ports, unrouted)
            CrashPoint.pass("permit")
            do throws(SystemError) {
                try NetfilterSocket(in: host).commit(
                    HostTable.messages(ports) { .addNew($0.map { $0.element }, to: $1) })
            } catch {
                try FabricPermits(namespace: fabric.namespace.number).drop(Set(ports.map { $0.target }))
                throw error
            }
            CrashPoint.pass("publish")
        }
        port.published = plan.publications
        return port
    }

    /// Refuses ports that another sandbox has; those of sandboxes that are gone are taken out.
    private func makeRoom(for ports: [PublishedPort], _ host: Int32) throws(SwitchError) {
        let present = try attributed { () throws(SystemError) in try HostTable(host: host).published() }
        var byPort: [UInt16: [PublishedPort]] = [:]
        for one in present { byPort[one.port, default: []].append(one) }
        var lost: [PublishedPort] = []
        for one in ports {
            for other in byPort[one.port] ?? [] where other.collides(with: one) {
                switch try holder(of: other, host) {
                case .nobody: lost.append(other)
                case .sandbox(let name):
                    throw SwitchError(
                        key: "publish", "\(other.text) leads to the sandbox \"\(name)\" already",
                        mend: "choose another port")
                case .unnamed, .foreign:
                    throw SwitchError(
                        key: "publish", "\(other.text) leads to another sandbox already", mend: "choose another port")
                }
            }
        }
        try attributed { () throws(SystemError) in try HostTable(host: host).withdraw(Array(Set(lost))) }
    }

    private enum Holder {
        case sandbox(String)
        case unnamed
        /// Of another state directory.
        case foreign
        case nobody
    }

    /// Who a published port leads to: its switch knows.
    private func holder(of port: PublishedPort, _ host: Int32) throws(SwitchError) -> Holder {
        for name in try names() {
            // What is damaged holds nothing.
            guard let spec = try? find(name), spec.subnet(of: port.target) != nil, let fabric = try? open(name) else {
                continue
            }
            return try attributed { () throws(SystemError) in
                let permits = try FabricPermits(namespace: fabric.namespace.number).all(port.permits)
                guard permits.contains(port.permit),
                    let lease = try NetlinkSocket(in: fabric.namespace.number).link(
                        .alternativeName(FabricName.lease(port.target)))
                else { return .nobody }
                let owner = lease.alias.flatMap { PortLabel($0)?.owner } ?? "-"
                return owner == "-" ? .unnamed : .sandbox(owner)
            }
        }
        let routes = try attributed { () throws(SystemError) in try NetlinkSocket(in: host).routes() }
        return routes.contains { $0.destination.length > 0 && $0.destination.contains(port.target) }
            ? .foreign : .nobody
    }

    /// Takes out what ports of boxes that have ended had published.
    func withdraw(_ ports: [Port]) throws(SwitchError) {
        for port in ports where !port.published.isEmpty {
            guard let name = port.switchName, let fabric = try open(name), fabric.reachesHost else { continue }
            let host = try fabric.host()
            try attributed { () throws(SystemError) in
                let socket = try NetlinkSocket(in: fabric.namespace.number)
                var addresses: Set<IPAddress> = []
                for address in port.addresses.map({ $0.address }) {
                    let lease = try socket.link(.alternativeName(FabricName.lease(address)))
                    // Another has it by now, and what it publishes stays.
                    if let lease, lease.name != port.end { continue }
                    addresses.insert(address)
                }
                let table = HostTable(host: host.number)
                try table.withdraw(try table.published().filter { addresses.contains($0.target) })
                CrashPoint.pass("withdraw")
                try FabricPermits(namespace: fabric.namespace.number).drop(addresses)
            }
        }
    }

    /// Takes out of the host's table, and of the switches, what leads to nobody.
    /// - Returns: what was removed.
    func dropLostPublications(_ host: Int32) throws(SystemError) -> [String] {
        var removed: [String] = []
        let table = HostTable(host: host)
        var lost: [PublishedPort] = []
        for port in try table.published() {
            do throws(SwitchError) {
                if case .nobody = try holder(of: port, host) { lost.append(port) }
            } catch {
                throw SystemError("look who has \(port.text): \(error.text)", code: EIO)
            }
        }
        try table.withdraw(lost)
        for port in lost { removed.append("published port \(port.text)") }
        return removed
    }
}

extension HostTable {
    /// What all sandboxes publish.
    func published() throws(SystemError) -> [PublishedPort] {
        var ports: [PublishedPort] = []
        for map in PublishedPort.maps {
            ports += (try elements(map) ?? []).compactMap { PublishedPort($0, in: map) }
        }
        return ports
    }

    func withdraw(_ ports: [PublishedPort]) throws(SystemError) {
        try NetfilterSocket(in: host).commit(
            HostTable.messages(ports) { .delete($0.map { $0.elementToDelete }, from: $1) })
    }

    /// One for each map and as many ports as fit in it.
    static func messages(
        _ ports: [PublishedPort], _ message: ([PublishedPort], NetfilterSet) -> NetlinkMessage
    ) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        for map in PublishedPort.maps {
            var rest = ports.filter { $0.map == map }[...]
            while !rest.isEmpty {
                messages.append(message(Array(rest.prefix(500)), set(map)))
                rest = rest.dropFirst(500)
            }
        }
        return messages
    }
}

/// What a switch lets in from the host: sets of ``LinkRuleset/fabric(leadsOut:)``.
struct FabricPermits {
    /// A descriptor of the switch's network namespace.
    let namespace: Int32

    private static func set(_ name: String) -> NetfilterSet { NetfilterSet(.inet, "switch", name) }

    func all(_ name: String) throws(SystemError) -> [NetfilterElement] {
        try NetfilterSocket(in: namespace).existingElements(of: FabricPermits.set(name)) ?? []
    }

    func add(_ ports: [PublishedPort], _ unrouted: [IPAddress]) throws(SystemError) {
        var messages: [NetlinkMessage] = []
        for name in ["published4", "published6"] {
            var rest = Array(Set(ports.filter { $0.permits == name }.map { $0.permit }))[...]
            while !rest.isEmpty {
                messages.append(.add(Array(rest.prefix(500)), to: FabricPermits.set(name)))
                rest = rest.dropFirst(500)
            }
        }
        for address in unrouted {
            let name = address.family == .v4 ? "unrouted4" : "unrouted6"
            messages.append(.add([NetfilterElement(NetfilterKey().adding(address.bytes))], to: FabricPermits.set(name)))
        }
        try NetfilterSocket(in: namespace).commit(messages)
    }

    /// Takes out all that these addresses had.
    func drop(_ addresses: Set<IPAddress>) throws(SystemError) {
        var messages: [NetlinkMessage] = []
        for name in ["published4", "published6", "unrouted4", "unrouted6"] {
            let width = name.hasSuffix("4") ? 4 : 16
            var rest = try all(name).filter { element in
                IPAddress(bytes: element.key.prefix(width)).map { addresses.contains($0) } ?? false
            }[...]
            while !rest.isEmpty {
                messages.append(.delete(Array(rest.prefix(500)), from: FabricPermits.set(name)))
                rest = rest.dropFirst(500)
            }
        }
        try NetfilterSocket(in: namespace).commit(messages)
    }
}

extension Forwarding {
    /// Lets those interfaces forward by which callers reach what is published on these addresses; `nil` for all.
    func openForCallers(
        at asked: Set<IPAddress?>, _ spec: SwitchSpec, _ settings: borrowing HostSettings
    ) throws(SwitchError) {
        let socket = try attributed { () throws(SystemError) in try NetlinkSocket(in: host) }
        let (links, addresses) = try attributed { () throws(SystemError) in (try socket.links(), try socket.addresses())
        }
        let ours = Set(try attributed { () throws(SystemError) in try HostTable(host: host).names(.links) } ?? [])
        for family in [IPFamily.v4, .v6] where spec.subnets.contains(where: { $0.family == family }) {
            let reached = addresses.filter { address in
                let own = address.prefix.address
                if own.family != family || own.isLoopback || own.isLinkLocal { return false }
                return asked.contains { $0 == nil || $0 == own || $0?.isUnspecified == true }
            }.map { $0.link }
            let names = links.filter { reached.contains($0.index) && $0.flags & UInt32(IFF_LOOPBACK) == 0 }
                .map { $0.name }.filter { !ours.contains($0) }
            try open(names, [family], settings)
        }
    }
}
