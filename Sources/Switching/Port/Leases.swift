import Addresses
import Glibc
import Kernel

/// Addresses of a switch whose ports the kernel does not show to us: a file each, with the process that it is for. It is
/// free again when that process has ended.
struct Leases: ~Copyable {
    private let spec: SwitchSpec
    private let folder: StateFolder
    private static let directory = "leases"

    init(_ fabric: borrowing Switch) throws(SwitchError) {
        spec = fabric.spec
        do throws(SystemError) {
            folder = try fabric.openFolder().folder(Leases.directory)
        } catch {
            throw SwitchError(error)
        }
    }

    /// Takes the addresses that are asked for, or one of each subnet.
    func take(_ fixed: [IPPrefix]?, for box: BoxReference) throws(SwitchError) -> [IPPrefix] {
        if let fixed {
            for prefix in fixed where try !take(prefix, box) {
                throw SwitchError(
                    key: "address", "\(prefix.address) is taken", mend: "take another, or \"auto\"")
            }
            return fixed
        }
        let pool = AddressPool(subnets: spec.subnets)
        let start = try attributed { () throws(SystemError) in try Cursor(folder).advance() }
        for step in 0..<pool.size {
            guard let addresses = pool.addresses((start &+ step) % pool.size) else { continue }
            if try takeAll(addresses, box) { return addresses }
        }
        if spec.subnets.isEmpty { return [] }
        throw SwitchError(key: "address", "the switch \"\(spec.name)\" has no address left")
    }

    private func takeAll(_ addresses: [IPPrefix], _ box: BoxReference) throws(SwitchError) -> Bool {
        for (index, prefix) in addresses.enumerated() where try !take(prefix, box) {
            for taken in addresses[..<index] {
                try attributed { () throws(SystemError) in try folder.remove(taken.address.description) }
            }
            return false
        }
        return true
    }

    /// False where a process that runs has it.
    private func take(_ prefix: IPPrefix, _ box: BoxReference) throws(SwitchError) -> Bool {
        let name = prefix.address.description
        return try attributed(to: "address") { () throws(SystemError) in
            for _ in 0..<3 {
                do throws(SystemError) {
                    let file = try folder.open(name, O_WRONLY | O_CREAT | O_EXCL)
                    try writeText("\(box.process.pid) \(box.process.start)\n", to: file.number, name: name)
                    return true
                } catch {
                    if error.code != EEXIST { throw error }
                }
                if try isHeld(name) { return false }
                try folder.remove(name)
            }
            return false
        }
    }

    private func isHeld(_ name: String) throws(SystemError) -> Bool {
        guard let text = try folder.read(name) else { return false }
        let words = text.split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let pid = Int32(words[0]), let start = UInt64(words[1]) else {
            // Being written just now.
            return true
        }
        return try ProcessIdentity(pid: pid, start: start).isAlive()
    }

    /// Forgets those of processes that have ended.
    func sweep() throws(SystemError) {
        for name in try folder.entries() where IPAddress(name) != nil {
            if try !isHeld(name) { try folder.remove(name) }
        }
    }
}
