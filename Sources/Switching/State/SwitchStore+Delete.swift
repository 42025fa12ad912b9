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
            let ports = try existing(name).ports()
            if !ports.isEmpty {
                throw SwitchError(
                    "the switch \"\(name)\" has \(ports.count == 1 ? "a port" : "\(ports.count) ports")",
                    mend: "end its sandboxes first, or use --force")
            }
        }
        try attributed { () throws(SystemError) in try forget(name) }
    }

    /// Gives back what boxes that have ended leave on switches: the switches too that were made on first use.
    ///
    /// - Parameter owner: the sandbox whose ports they were; they count as gone though the kernel has not yet taken
    ///   their namespace down.
    public func release(_ ports: [Port], of owner: String) throws(SwitchError) {
        for name in Set(ports.compactMap { $0.switchName }).sorted() {
            guard let spec = try find(name) else { continue }
            let published = ports.filter { $0.switchName == name && !$0.published.isEmpty }
            if !spec.isTransient, published.isEmpty { continue }
            let lock = try lock()
            defer { lock.release() }
            try withdraw(published)
            if !spec.isTransient { continue }
            guard let fabric = try open(name) else { continue }
            let ends = Set(ports.compactMap { $0.end })
            let isUsed = try fabric.ports().contains { !($0.label?.owner == owner && ends.contains($0.link.name)) }
            if !isUsed { try attributed { () throws(SystemError) in try forget(name) } }
        }
    }

    /// Removes what nothing holds any more: half-made switches, and those made on first use that have no port left.
    /// - Returns: what was removed.
    public func sweep() throws(SwitchError) -> [String] {
        guard state.exists else { return [] }
        let lock = try lock()
        defer { lock.release() }
        var removed = try attributed { () throws(SystemError) in try sweepTemporary() }
        for name in try names() {
            guard let spec = try find(name), spec.isTransient, try open(name)?.ports().isEmpty == true else { continue }
            try attributed { () throws(SystemError) in try forget(name) }
            removed.append(path(name))
        }
        return removed + (try attributed { () throws(SystemError) in try tidyOwnHost() })
    }
}
