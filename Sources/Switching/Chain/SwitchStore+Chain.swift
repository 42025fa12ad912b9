import Glibc
import Kernel
import Netlink
import Profile

extension SwitchStore {
    /// Gives a new port its chain.
    func makeChain(_ plan: ChainPlan, of port: Port, on fabric: borrowing Switch) throws(SwitchError) -> Port {
        guard let end = port.end, !plan.hops.isEmpty else { return port }
        var port = port
        port.chain = plan.references
        let (directory, name, namespace) = (fabric.directory, fabric.spec.name, fabric.namespace.number)
        // Written first: what is made is found by it.
        try attributed { () throws(SystemError) in try ChainRecords.make(directory).write(plan, of: end) }
        do throws(SwitchError) {
            try install(plan, after: [], end, name, namespace)
        } catch {
            try SwitchStore.removeChain(end, directory, namespace)
            throw error
        }
        return port
    }

    /// The chain of a port; nil where it has never had one.
    public func chainPlan(of port: Port) throws(SwitchError) -> ChainPlan? {
        guard let name = port.switchName, let end = port.end, let fabric = try open(name) else { return nil }
        let directory = fabric.directory
        return try attributed { () throws(SystemError) in try ChainRecords.existing(directory)?.read(end) }
    }

    /// Changes the chain of a port while traffic flows: all of it at once, or nothing.
    ///
    /// - Parameter prepare: starts the sandboxes that the new chain has and the old one has not, and enters them.
    /// - Returns: the chain as it was, and as it is.
    public func changeChain(
        of port: Port, _ change: (inout ChainPlan) throws(SwitchError) -> Void,
        prepare: (inout ChainPlan) throws(SwitchError) -> Void = { _ in }
    ) throws(SwitchError) -> (old: ChainPlan, new: ChainPlan) {
        guard let name = port.switchName, let end = port.end else {
            throw SwitchError(
                "the interface \(port.name) has no port of its own on a switch",
                mend: "chains are for interfaces of kind veth")
        }
        let fabric = try existing(name)
        let (directory, namespace) = (fabric.directory, fabric.namespace.number)
        try mendChain(end, fabric)
        let found = try attributed { () throws(SystemError) in try ChainRecords.existing(directory)?.read(end) }
        let old: ChainPlan
        if let found { old = found } else { old = try ChainPlan() }
        var new = old
        try change(&new)
        let asked = new
        let chain = try attributed { () throws(SystemError) in try InlineChain(end, in: namespace) }
        try chain.checkQueue(asked, after: old)
        do throws(SwitchError) {
            try attributed { () throws(SystemError) in
                let records = try ChainRecords.make(directory)
                if found == nil { try records.write(old, of: end) }
                try records.announce(new, of: end)
            }
            try prepare(&new)
            CrashPoint.pass("prepare chain")
            let coming = new
            let lock = try attributed { () throws(SystemError) in try ChainRecords.make(directory).lock() }
            defer { lock.release() }
            try attributed { () throws(SystemError) in try ChainRecords.make(directory).announce(coming, of: end) }
            // One of its functions may have begun again meanwhile.
            let now = try attributed { () throws(SystemError) in try ChainRecords.make(directory).read(end) ?? old }
            try install(coming, after: [now], end, name, namespace)
            CrashPoint.pass("change chain")
            try attributed { () throws(SystemError) in
                let records = try ChainRecords.make(directory)
                try records.write(coming, of: end)
                try records.settle(end)
            }
        } catch {
            var error = error
            do throws(SwitchError) {
                if found == nil, old.hops.isEmpty {
                    try mendChain(end, fabric)
                    try SwitchStore.removeChain(end, directory, namespace)
                } else {
                    try mendChain(end, fabric)
                }
            } catch let second {
                error.message += "; and the chain cannot be made what it was: \(second.message)"
            }
            throw error
        }
        return (old, new)
    }

    /// Makes a chain what it was before a change that was cut off.
    private func mendChain(_ end: String, _ fabric: borrowing Switch) throws(SwitchError) {
        let (directory, name, namespace) = (fabric.directory, fabric.spec.name, fabric.namespace.number)
        let isThere = try attributed { () throws(SystemError) in
            try ChainRecords.existing(directory)?.coming(end) != nil
        }
        guard isThere else { return }
        let lock = try attributed { () throws(SystemError) in try ChainRecords.make(directory).lock() }
        defer { lock.release() }
        let (now, coming) = try attributed { () throws(SystemError) in
            let records = try ChainRecords.make(directory)
            return (try records.read(end), try records.coming(end))
        }
        if let now, let coming { try install(now, after: [coming.plan], end, name, namespace, trusts: false) }
        try attributed { () throws(SystemError) in try ChainRecords.make(directory).settle(end) }
    }

    /// Makes the chain of a port what it was before a change whose command was killed, so that what is known of it is
    /// true.
    public func settleChain(of port: Port) throws(SwitchError) {
        guard let name = port.switchName, let end = port.end, let fabric = try open(name) else { return }
        if try isLeft(end, fabric) { try mendChain(end, fabric) }
    }

    /// Whether who was changing a chain has ended without an end of that.
    private func isLeft(_ end: String, _ fabric: borrowing Switch) throws(SwitchError) -> Bool {
        let directory = fabric.directory
        return try attributed { () throws(SystemError) in
            guard let coming = try ChainRecords.existing(directory)?.coming(end) else { return false }
            return try !coming.by.isAlive()
        }
    }

    /// - Parameter trusts: whether what was before is in force for sure.
    private func install(
        _ plan: ChainPlan, after old: [ChainPlan], _ end: String, _ name: String, _ namespace: Int32,
        trusts: Bool = true
    ) throws(SwitchError) {
        let chain = try attributed { () throws(SystemError) in try InlineChain(end, in: namespace) }
        var before: [ChainElement] = []
        for plan in old { before += try plan.elements(port: end, on: name, isPartial: !trusts) }
        let after = try plan.elements(port: end, on: name)
        try chain.install(plan, after: old) { (isSure) throws(SwitchError) in
            if before.isEmpty, after.isEmpty { return }
            if before == after, isSure, trusts { return }
            try steer(port: end, on: name, from: before, to: after, trusts: trusts && isSure)
        }
    }

    private static func removeChain(_ end: String, _ directory: String, _ namespace: Int32) throws(SwitchError) {
        try attributed { () throws(SystemError) in
            try InlineChain(end, in: namespace).remove()
            try ChainRecords.existing(directory)?.remove(end)
        }
    }

    // MARK: - Functions that are sandboxes

    /// Enters new interfaces of a function that has begun again, in each chain that it is in, and leads traffic there.
    ///
    /// - Parameter first: those that it got with its start; it gets more where it is in several chains.
    public func renew(
        _ box: String, _ first: PortPair, _ more: () throws(SwitchError) -> PortPair
    ) throws(SwitchError) {
        let name = first.switchName
        let fabric = try existing(name)
        let (directory, namespace) = (fabric.directory, fabric.namespace.number)
        let records = try attributed { () throws(SystemError) in try ChainRecords.make(directory) }
        let lock = try attributed { () throws(SystemError) in try records.lock() }
        defer { lock.release() }
        var isGiven = false
        for end in try attributed({ () throws(SystemError) in try records.ports() }) {
            guard let old = try attributed({ () throws(SystemError) in try records.read(end) }) else { continue }
            var new = old
            for hop in old.hops where hop.box == box {
                new.place(hop.id, in: box, isGiven ? try more() : first)
                isGiven = true
            }
            if new == old { continue }
            try install(new, after: [old], end, name, namespace)
            let renewed = new
            try attributed { () throws(SystemError) in try records.write(renewed, of: end) }
        }
    }

    /// Takes a function's interfaces away, at once: what is led there stops, or goes past.
    public func remove(_ pairs: [PortPair]) throws(SwitchError) {
        for name in Set(pairs.map(\.switchName)).sorted() {
            guard let fabric = try open(name) else { continue }
            let own = pairs.filter { $0.switchName == name }.flatMap { [$0.inner] + ($0.outer.map { [$0] } ?? []) }
            try attributed { () throws(SystemError) in
                let socket = try NetlinkSocket(in: fabric.namespace.number)
                for failure in try socket.outcomes(of: own.map { .delete(.name($0)) }) {
                    if let failure, failure.code != ENODEV { throw failure }
                }
            }
        }
    }

    /// The sandboxes that chains have, or are about to.
    public func chainBoxes() throws(SwitchError) -> Set<String> {
        var boxes: Set<String> = []
        for name in try names() where hasChains(name) {
            let directory = path(name)
            try attributed { () throws(SystemError) in
                guard let records = try ChainRecords.existing(directory) else { return }
                for port in try records.ports() {
                    boxes.formUnion(try records.read(port)?.boxes ?? [])
                    boxes.formUnion(try records.coming(port)?.plan.boxes ?? [])
                }
            }
        }
        return boxes
    }

    // MARK: - The end

    /// Takes away what ports that are gone, or about to go, had.
    /// - Parameter ends: their names in the switch.
    func releaseChains(_ ends: Set<String>, on fabric: borrowing Switch) throws(SwitchError) {
        let (directory, namespace) = (fabric.directory, fabric.namespace.number)
        let own = try attributed { () throws(SystemError) in
            try ChainRecords.existing(directory)?.ports().filter { ends.contains($0) } ?? []
        }
        for end in own {
            let plan = try attributed { () throws(SystemError) in try ChainRecords.existing(directory)?.read(end) }
            try SwitchStore.removeChain(end, directory, namespace)
            // A function of several chains goes on, without these.
            try remove(plan?.sharedPairs ?? [])
        }
    }

    /// Whether any port of a switch has had a chain.
    func hasChains(_ name: String) -> Bool { access("\(path(name))/\(File.chains)", F_OK) == 0 }

    /// - Returns: what was removed.
    func sweepChains(_ fabric: borrowing Switch) throws(SwitchError) -> [String] {
        let (directory, name) = (fabric.directory, fabric.spec.name)
        // First: a port is there before its chain.
        let ends = try attributed { () throws(SystemError) in
            guard let records = try ChainRecords.existing(directory) else { return [] as [String] }
            try records.sweep()
            return try records.ports()
        }
        if ends.isEmpty { return [] }
        let there = Set(try fabric.ports().map(\.link.name))
        var removed: [String] = []
        for end in ends {
            if !there.contains(end) {
                try releaseChains([end], on: fabric)
                removed.append("chain of \(end) on the switch \(name)")
                continue
            }
            if try isLeft(end, fabric) { try mendChain(end, fabric) }
        }
        return removed
    }
}
