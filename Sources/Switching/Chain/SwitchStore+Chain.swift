import Glibc
import Kernel
import Netlink
import Profile

extension SwitchStore {
    /// Gives a new port its chain.
    func makeChain(_ functions: [ResolvedFunction], of port: Port, on fabric: borrowing Switch) throws(SwitchError)
        -> Port
    {
        guard let end = port.end, !functions.isEmpty else { return port }
        let plan = try ChainPlan(functions)
        var port = port
        port.chain = plan.references
        let (directory, namespace) = (fabric.directory, fabric.namespace.number)
        // Written first: what is made is found by it.
        try attributed { () throws(SystemError) in try ChainRecords.make(directory).write(plan, of: end) }
        do throws(SwitchError) {
            try SwitchStore.install(plan, end, namespace)
        } catch {
            try SwitchStore.removeChain(end, directory, namespace)
            throw error
        }
        return port
    }

    /// Changes the chain of a port while traffic flows: all of it at once, or nothing.
    /// - Returns: what it names from now on.
    public func changeChain(
        of port: Port, _ change: (inout ChainPlan) throws(SwitchError) -> Void
    ) throws(SwitchError) -> [String] {
        guard let name = port.switchName, let end = port.end else {
            throw SwitchError(
                "the interface \(port.name) has no port of its own on a switch",
                mend: "chains are for interfaces of kind veth")
        }
        let fabric = try existing(name)
        let (directory, namespace) = (fabric.directory, fabric.namespace.number)
        let found = try attributed { () throws(SystemError) in try ChainRecords.existing(directory)?.read(end) }
        var plan: ChainPlan
        if let found { plan = found } else { plan = try ChainPlan() }
        try change(&plan)
        let changed = plan
        let isNew = try attributed { () throws(SystemError) in
            let records = try ChainRecords.make(directory)
            let isNew = try records.read(end) == nil
            if isNew { try records.write(changed, of: end) }
            return isNew
        }
        do throws(SwitchError) {
            try SwitchStore.install(changed, end, namespace)
        } catch {
            if isNew { try SwitchStore.removeChain(end, directory, namespace) }
            throw error
        }
        try attributed { () throws(SystemError) in try ChainRecords.make(directory).write(changed, of: end) }
        return changed.references
    }

    private static func install(_ plan: ChainPlan, _ end: String, _ namespace: Int32) throws(SwitchError) {
        let chain = try attributed { () throws(SystemError) in try InlineChain(end, in: namespace) }
        try chain.install(plan)
    }

    private static func removeChain(_ end: String, _ directory: String, _ namespace: Int32) throws(SwitchError) {
        try attributed { () throws(SystemError) in
            try InlineChain(end, in: namespace).remove()
            try ChainRecords.existing(directory)?.remove(end)
        }
    }

    /// Takes away what ports that are gone, or about to go, had.
    /// - Parameter ends: their names in the switch.
    func releaseChains(_ ends: Set<String>, on fabric: borrowing Switch) throws(SwitchError) {
        let (directory, namespace) = (fabric.directory, fabric.namespace.number)
        let own = try attributed { () throws(SystemError) in
            try ChainRecords.existing(directory)?.ports().filter { ends.contains($0) } ?? []
        }
        for end in own { try SwitchStore.removeChain(end, directory, namespace) }
    }

    /// Whether any port of a switch has had a chain.
    func hasChains(_ name: String) -> Bool { access("\(path(name))/\(File.chains)", F_OK) == 0 }

    /// - Returns: what was removed.
    func sweepChains(_ fabric: borrowing Switch) throws(SwitchError) -> [String] {
        let (directory, namespace, name) = (fabric.directory, fabric.namespace.number, fabric.spec.name)
        // First: a port is there before its chain.
        let ends = try attributed { () throws(SystemError) in
            try ChainRecords.existing(directory)?.ports() ?? []
        }
        if ends.isEmpty { return [] }
        let there = Set(try fabric.ports().map(\.link.name))
        var removed: [String] = []
        for end in ends where !there.contains(end) {
            try SwitchStore.removeChain(end, directory, namespace)
            removed.append("chain of \(end) on the switch \(name)")
        }
        return removed
    }
}
