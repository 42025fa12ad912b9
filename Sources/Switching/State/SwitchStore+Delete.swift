import Glibc
import Kernel
import Netlink
import Profile

extension SwitchStore {
    /// Deletes a switch, and with `force` one that has ports, or that is damaged: its ports vanish from their boxes.
    public func delete(_ name: String, force: Bool = false) throws(SwitchError) {
        try SwitchStore.check(name)
        let lock = try lock()
        defer { lock.release() }
        guard FileStatus(path: path(name), follow: false) != nil else { throw SwitchStore.unknown(name) }
        if !force {
            let count = try settledPortCount(name)
            if count > 0 {
                throw SwitchError(
                    "the switch \"\(name)\" has \(count == 1 ? "a port" : "\(count) ports")",
                    mend: "end its sandboxes first, or use --force")
            }
        }
        try attributed { () throws(SystemError) in try forget(name) }
    }

    /// How many ports there are, once the kernel has taken down what boxes that ended a moment ago had: it does so when
    /// it finds time.
    private func settledPortCount(_ name: String) throws(SwitchError) -> Int {
        let fabric = try existing(name)
        for _ in 0..<100 {
            if try fabric.portCount() == 0 { return 0 }
            pauseBriefly(microseconds: 10_000)
        }
        return try fabric.portCount()
    }

    /// Gives back what boxes that have ended leave on switches: the switches too that were made on first use.
    ///
    /// - Parameter owner: the sandbox whose ports they were; they count as gone though the kernel has not yet taken
    ///   their namespace down.
    /// - Parameter hasEnded: whether another sandbox has: what is left of its ports counts as gone, too.
    public func release(
        _ ports: [Port], of owner: String, hasEnded: (_ other: String) -> Bool = { _ in false }
    ) throws(SwitchError) {
        for name in Set(ports.compactMap { $0.switchName }).sorted() {
            guard let spec = try find(name) else { continue }
            let own = ports.filter { $0.switchName == name }
            let ends = Set(own.compactMap { $0.end })
            if spec.hasDNS { try HostsFolder.remove(own, of: owner, spec, in: path(name)) }
            try releaseCompanions(own, spec)
            if hasChains(name), let fabric = try open(name) { try releaseChains(ends, on: fabric) }
            try releaseLeases(own, spec)
            let published = own.filter { !$0.published.isEmpty }
            if !spec.isTransient, published.isEmpty { continue }
            let lock = try lock()
            defer { lock.release() }
            try withdraw(published)
            if !spec.isTransient { continue }
            guard let fabric = try open(name) else { continue }
            let isUsed = try fabric.ports().contains { port in
                let other = port.label?.owner ?? "-"
                return other == owner ? !ends.contains(port.link.name) : other == "-" || !hasEnded(other)
            }
            if !isUsed { try attributed { () throws(SystemError) in try forget(name) } }
        }
    }

    private func releaseCompanions(_ ports: [Port], _ spec: SwitchSpec) throws(SwitchError) {
        if ports.allSatisfy({ $0.companion == nil }) { return }
        if let fabric = try open(spec.name) { try releaseCompanions(ports, on: fabric) }
    }

    func releaseCompanions(_ ports: [Port], on fabric: borrowing Switch) throws(SwitchError) {
        let companions = ports.compactMap { $0.companion }
        if companions.isEmpty { return }
        try attributed { () throws(SystemError) in
            let socket = try NetlinkSocket(in: fabric.namespace.number)
            for failure in try socket.outcomes(of: companions.map { .delete(.name($0)) }) {
                if let failure, failure.code != ENODEV { throw failure }
            }
        }
    }

    private func releaseLeases(_ ports: [Port], _ spec: SwitchSpec) throws(SwitchError) {
        let isShared = ports.contains { $0.attach.sharesDevice }
        guard isShared, let fabric = try open(spec.name) else { return }
        try Leases(fabric).sweep()
    }

    /// Removes what nothing holds any more: half-made switches, those made on first use that have no port left, and
    /// what ports have left on the others.
    /// - Returns: what was removed.
    public func sweep() throws(SwitchError) -> [String] {
        guard state.exists else { return [] }
        let lock = try lock()
        defer { lock.release() }
        var removed = try attributed { () throws(SystemError) in try sweepTemporary() }
        for name in try names() {
            guard let spec = try find(name), let fabric = try open(name) else { continue }
            if spec.hasDNS { removed += try sweepNames(name) }
            if spec.hasDHCP { removed += try sweepLeases(fabric) }
            if spec.isTransient, spec.kind == .bridge, try fabric.ports().isEmpty {
                try attributed { () throws(SystemError) in try forget(name) }
                removed.append(path(name))
            } else {
                removed += try sweep(fabric)
            }
        }
        return removed + (try attributed { () throws(SystemError) in try tidyOwnHost() })
    }

    /// Removes what ports that are gone have left on a switch.
    private func sweep(_ fabric: borrowing Switch) throws(SwitchError) -> [String] {
        let name = fabric.spec.name
        if fabric.spec.kind == .macvlan {
            return try Leases(fabric).sweep().map { "\($0) on the switch \(name)" }
        }
        let chains = try sweepChains(fabric)
        return try chains
            + attributed { () throws(SystemError) in
                let socket = try NetlinkSocket(in: fabric.namespace.number)
                let links = try socket.links()
                let used = Set(
                    links.filter { $0.group == FabricGroup.ports }.flatMap { port in
                        [PortShaper.companion(of: port.name)] + ChainDirection.allCases.map { $0.queue(of: port.name) }
                    })
                let segments = links.filter { $0.group == FabricGroup.ports }.map { FabricName.segments($0.name) }
                let left = links.filter { link in
                    link.group == FabricGroup.companions && !used.contains(link.name)
                        && !segments.contains { link.name.hasPrefix($0) }
                }
                try socket.send(left.map { .delete(.index($0.index)) })
                return left.map { "\($0.name) on the switch \(name)" }
            }
    }
}
