import Addresses
import Glibc
import Kernel
import Netlink

/// The directory of a switch that its server for DHCP reads: a file for each hardware address with the addresses of that
/// port, in the words of dnsmasq(8), `dhcp-host`.
///
/// A file stays when its port goes, until another has the address: then the server, which may take that for let still,
/// begins anew.
enum LeaseFolder {
    static func make(in folder: borrowing StateFolder) throws(SystemError) {
        try ServedFolder.make(File.dynamicHosts, in: folder)
    }

    static func line(_ mac: MACAddress, _ addresses: [IPAddress]) -> String {
        ([mac.description] + addresses.map { $0.family == .v4 ? "\($0)" : "[\($0)]" }).joined(separator: ",") + "\n"
    }

    /// Whether a line gives one of the addresses.
    static func gives(_ line: String, _ addresses: [IPAddress]) -> Bool {
        let words = line.split { $0 == "," || $0 == "\n" || $0 == "[" || $0 == "]" }
        return words.contains { word in addresses.contains { $0.description == word } }
    }

    /// Enters who has the addresses now. The caller has the lock.
    ///
    /// - Parameter switchFolder: the switch's.
    static func enter(
        _ mac: MACAddress, _ addresses: [IPAddress], _ switchFolder: borrowing StateFolder
    ) throws(SystemError) {
        guard let folder = try switchFolder.existing(File.dynamicHosts) else { return }
        var isTakenOver = false
        for entry in try folder.entries() where entry != mac.description && entry.utf8.first != 0x2e {
            guard let line = try folder.read(entry), gives(line, addresses) else { continue }
            try folder.remove(entry)
            isTakenOver = true
        }
        try ServedFolder.write(mac.description, line(mac, addresses), in: folder)
        if isTakenOver { try switchFolder.write(File.generation, "\(try generation(switchFolder) + 1)\n") }
    }

    /// How often the server had to begin anew.
    static func generation(_ folder: borrowing StateFolder) throws(SystemError) -> Int {
        let text = try folder.read(File.generation) ?? ""
        return Int(text.filter { $0.isNumber }) ?? 0
    }
}

extension SwitchStore {
    /// Enters a port's addresses; those who had them before are taken out.
    func enterLease(_ port: Port, _ fabric: borrowing Switch) throws(SwitchError) {
        guard let mac = port.mac, !port.addresses.isEmpty else { return }
        let addresses = port.addresses.map { $0.address }
        let lock = try lock()
        defer { lock.release() }
        try attributed(to: "dhcp") { () throws(SystemError) in
            try LeaseFolder.enter(mac, addresses, fabric.openFolder())
        }
    }

    /// Removes entries of ports that are gone.
    /// - Returns: the paths removed.
    func sweepLeases(_ fabric: borrowing Switch) throws(SwitchError) -> [String] {
        let entries = try attributed(to: "dhcp") { () throws(SystemError) in
            try fabric.openFolder().existing(File.dynamicHosts)?.entries() ?? []
        }
        let used = Set(try fabric.ports().compactMap { $0.label?.address.description })
        return try attributed(to: "dhcp") { () throws(SystemError) in
            guard let folder = try fabric.openFolder().existing(File.dynamicHosts) else { return [] }
            return try ServedFolder.sweep(entries, but: used, in: folder)
        }
    }
}
