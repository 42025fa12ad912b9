import Addresses
import Glibc
import Kernel
import Netlink

/// The directory of a switch that its name server follows: a file of hosts(5) for each port, called like the port. The
/// name server learns of each change from the kernel (inotify(7)).
enum HostsFolder {
    static func make(in folder: borrowing StateFolder) throws(SystemError) {
        try ServedFolder.make(File.hosts, in: folder)
    }

    /// Enters a port. One of a sandbox without a name has none, nor has one whose name the DNS does not know.
    static func enter(_ port: Port, of owner: String?, _ fabric: borrowing Switch) throws(SwitchError) {
        guard let owner, let end = port.hostsFile, DomainName.isValid(owner), !port.addresses.isEmpty else { return }
        let lines = lines(owner, port.addresses.map { $0.address }, domain: fabric.spec.searchDomain)
        try attributed(to: "dns") { () throws(SystemError) in
            guard let folder = try fabric.openFolder().existing(File.hosts) else { return }
            try ServedFolder.write(end, lines, in: folder)
        }
    }

    /// The full name comes first: it is what an address leads to. A name with a dot stands with its domain alone: else
    /// a sandbox called "example.org" would be taken for that.
    static func lines(_ owner: String, _ addresses: [IPAddress], domain: String) -> String {
        let names = owner.contains(".") ? "\(owner).\(domain)" : "\(owner).\(domain) \(owner)"
        return addresses.map { "\($0) \(names)\n" }.joined()
    }

    /// Takes ports out; those that are not there are no error.
    ///
    /// - Parameter directory: the switch's.
    static func remove(_ ports: [Port], of owner: String, _ spec: SwitchSpec, in directory: String) throws(SwitchError)
    {
        try attributed(to: "dns") { () throws(SystemError) in
            guard let folder = try StateFolder(existing: directory).existing(File.hosts) else { return }
            for port in ports {
                guard let file = port.hostsFile else { continue }
                if port.end == nil {
                    // Another may have its address already.
                    let own = lines(owner, port.addresses.map { $0.address }, domain: spec.searchDomain)
                    if try folder.read(file) != own { continue }
                }
                try folder.remove(file)
            }
        }
    }
}

extension Port {
    /// What it is called in a ``HostsFolder``: like its end in the switch, else like its first address.
    fileprivate var hostsFile: String? {
        guard let end else { return addresses.first?.address.description }
        return FabricName.isPort(end) ? end : nil
    }
}

extension SwitchStore {
    /// Removes names of ports that are gone.
    /// - Returns: the paths removed.
    func sweepNames(_ name: String) throws(SwitchError) -> [String] {
        let fabric = try existing(name)
        let entries = try attributed(to: "dns") { () throws(SystemError) in
            try fabric.openFolder().existing(File.hosts)?.entries() ?? []
        }
        var used = Set(try fabric.ports().map { $0.link.name })
        if fabric.spec.kind == .macvlan { used.formUnion(try Leases(fabric).held()) }
        return try attributed(to: "dns") { () throws(SystemError) in
            guard let folder = try fabric.openFolder().existing(File.hosts) else { return [] }
            return try ServedFolder.sweep(entries, but: used, in: folder)
        }
    }
}
