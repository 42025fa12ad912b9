import Addresses
import Glibc
import Kernel

/// The ports of a switch that the kernel does not show to us: a file for each of their addresses, with the process that
/// it is for and whose it is. An address is free again when that process has ended.
struct Leases: ~Copyable {
    private let spec: SwitchSpec
    private let folder: StateFolder

    init(_ fabric: borrowing Switch) throws(SwitchError) {
        spec = fabric.spec
        do throws(SystemError) {
            folder = try fabric.openFolder().folder(File.leases)
        } catch {
            throw SwitchError(error)
        }
    }

    /// Takes the addresses that are asked for, or one of each subnet.
    /// - Parameter interface: its name in the box: what a port is known by that has no address.
    func take(_ fixed: [IPPrefix]?, for box: BoxReference, _ interface: String) throws(SwitchError) -> [IPPrefix] {
        let lock = try lock()
        defer { lock.release() }
        let addresses: [IPPrefix]
        if let fixed { addresses = fixed } else { addresses = try free() }
        for prefix in addresses {
            let found = try attributed { () throws(SystemError) in try holder(of: prefix) }
            guard let holder = found else { continue }
            throw .taken(prefix.address, by: holder.owner)
        }
        let names = addresses.map { $0.address.description }
        try attributed(to: "address") { () throws(SystemError) in
            let process = try box.process()
            for name in names.isEmpty ? ["\(process.pid)-\(interface)"] : names {
                try folder.write(name, "\(process.pid) \(process.start) \(box.owner ?? "-")\n")
            }
        }
        return addresses
    }

    /// One of each subnet that nobody has. The caller has the lock.
    private func free() throws(SwitchError) -> [IPPrefix] {
        if spec.subnets.isEmpty { return [] }
        let pool = AddressPool(subnets: spec.subnets)
        let found = try attributed { () throws(SystemError) in try nextFree(pool) }
        guard let found else { throw pool.usedUp(spec) }
        return found
    }

    private func nextFree(_ pool: AddressPool) throws(SystemError) -> [IPPrefix]? {
        let cursor = try Cursor(folder)
        let start = try cursor.advance()
        for step in 0..<pool.size {
            guard let addresses = pool.addresses((start &+ step) % pool.size), try isFree(addresses) else { continue }
            if step > 0 { try cursor.set((start &+ step) &+ 1) }
            return addresses
        }
        return nil
    }

    private func isFree(_ addresses: [IPPrefix]) throws(SystemError) -> Bool {
        for prefix in addresses where try holder(of: prefix) != nil { return false }
        return true
    }

    /// Who runs and has it.
    private func holder(of prefix: IPPrefix) throws(SystemError) -> Holder? {
        try holder(prefix.address.description)
    }

    private func holder(_ name: String) throws(SystemError) -> Holder? {
        guard let text = try folder.read(name), let holder = Holder(text) else { return nil }
        return try holder.process.isAlive() ? holder : nil
    }

    /// The addresses that are taken, and what ports without one are known by.
    func held() throws(SwitchError) -> [String] {
        try attributed { () throws(SystemError) in
            var held: [String] = []
            for name in try entries() where try holder(name) != nil { held.append(name) }
            return held
        }
    }

    /// The sandboxes that run and have ports, by name, `-` for one without.
    func owners() throws(SystemError) -> [String] {
        var seen: Set<Int32> = []
        var owners: [String] = []
        for name in try entries() {
            guard let holder = try holder(name), seen.insert(holder.process.pid).inserted else { continue }
            owners.append(holder.owner)
        }
        return owners
    }

    /// Forgets those of processes that have ended.
    /// - Returns: their addresses.
    @discardableResult
    func sweep() throws(SwitchError) -> [String] {
        let lock = try lock()
        defer { lock.release() }
        return try attributed { () throws(SystemError) in
            var removed: [String] = []
            for name in try entries() where try holder(name) == nil {
                try folder.remove(name)
                removed.append(name)
            }
            return removed
        }
    }

    private func entries() throws(SystemError) -> [String] {
        try folder.entries().filter { $0 != File.next && $0 != File.lock && $0.utf8.first != 0x2e }
    }

    private func lock() throws(SwitchError) -> ByteLock {
        let lock = try attributed { () throws(SystemError) in
            try ByteLock(try folder.open(File.lock, O_RDWR | O_CREAT), offset: 0, milliseconds: 10_000)
        }
        guard let lock else {
            throw SwitchError(
                "another command is at work on the addresses of the switch \"\(spec.name)\"",
                mend: "try again when it is done")
        }
        return lock
    }
}

/// What a lease's file says.
private struct Holder {
    let process: ProcessIdentity
    let owner: String

    /// `nil` for what we did not write: files are whole, or not there.
    init?(_ text: String) {
        let words = text.split { $0 == " " || $0 == "\n" }
        guard words.count == 3, let pid = Int32(words[0]), let start = UInt64(words[1]) else { return nil }
        process = ProcessIdentity(pid: pid, start: start)
        owner = String(words[2])
    }
}
