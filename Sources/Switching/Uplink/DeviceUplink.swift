import Addresses
import Glibc
import Kernel
import Netlink

/// A device of the host's that is a port of a switch's bridge while the switch is there: under the name ``FabricName/uplink``
/// in the switch's namespace. What it was is written down before it moves, so that it can always be given back.
struct DeviceUplink {
    let name: String
    /// Descriptors of network namespaces.
    let fabric: Int32
    let host: Int32

    /// - Parameter force: takes the device that carries the host's default route.
    func move(_ folder: borrowing StateFolder, for spec: SwitchSpec, force: Bool) throws(SwitchError) {
        let mtu = spec.mtu
        let outside = try attributed { () throws(SystemError) in try NetlinkSocket(in: host) }
        let device = try attributed { () throws(SystemError) in try outside.link(.name(name)) }
        guard let device else {
            throw SwitchError(key: "uplink", "the host has no interface \"\(name)\"", mend: "see 'ip link'")
        }
        try check(device)
        let routes = try attributed { () throws(SystemError) in try outside.routes() }
        if !force, routes.contains(where: { $0.destination.length == 0 && $0.link == device.index }) {
            throw SwitchError(
                key: "uplink", "the host reaches others by \"\(name)\", and would be cut off",
                mend: "use --uplink nat, or --force")
        }
        if device.mtu < mtu {
            throw SwitchError(
                key: "mtu", "\"\(name)\" passes \(device.mtu) bytes, the switch \(mtu)",
                mend: "write --mtu \(device.mtu)")
        }
        try attributed(to: "uplink") { () throws(SystemError) in
            let addresses = try outside.addresses(of: device.index).filter {
                !$0.prefix.address.isLinkLocal && $0.flags.contains(.permanent)
            }
            let lines = [name, device.isUp ? "up" : "down"] + addresses.map { $0.prefix.description }
            try folder.write(File.device, lines.map { $0 + "\n" }.joined())
            try outside.send(.rename(device.index, to: FabricName.uplink, namespace: fabric))
            CrashPoint.pass("take device")
            let inside = try NetlinkSocket(in: fabric)
            guard let bridge = try inside.link(.name(FabricName.bridge)) else {
                throw SystemError("look at the interface \(FabricName.bridge)", code: ENODEV)
            }
            try inside.send([
                .change(.name(FabricName.uplink), LinkChange(master: bridge.index, ipv6Addresses: .never)),
                .change(.name(FabricName.uplink), LinkChange(isUp: true)),
            ])
            if spec.filtersVLANs, let link = try inside.link(.name(FabricName.uplink)) {
                try inside.send(.add(Fabric.otherVLANs, toPort: link.index))
            }
        }
    }

    private func check(_ device: Link) throws(SwitchError) {
        func refuse(_ reason: String, _ mend: String) -> SwitchError {
            SwitchError(key: "uplink", "\"\(name)\" \(reason)", mend: mend)
        }
        if device.flags & UInt32(IFF_LOOPBACK) != 0 {
            throw refuse("is the host's loopback", "name a device that leads somewhere")
        }
        if device.master != nil { throw refuse("is a port of another bridge", "take it out there first") }
        if access("/sys/class/net/\(name)/wireless", F_OK) == 0 || access("/sys/class/net/\(name)/phy80211", F_OK) == 0
        {
            throw refuse(
                "is a wireless interface, whose access point lets one hardware address in", "use --uplink nat")
        }
        if device.address == nil { throw refuse("carries no Ethernet frames", "use --uplink nat") }
        if ["bridge", "vxlan"].contains(device.kind) {
            throw refuse("is of kind \(device.kind ?? ""), which cannot be a port here", "name a device below it")
        }
    }

    /// Gives the device of a switch's folder back to the host, under its name and with its addresses. One that is gone,
    /// or was not yet moved, is no error.
    static func giveBack(_ folder: borrowing StateFolder) throws(SystemError) {
        guard let text = try folder.read(File.device) else { return }
        let lines = text.split(separator: "\n").map { String($0) }
        guard lines.count >= 2 else { throw SystemError("read \(folder.path)/\(File.device)", code: EBADMSG) }
        guard let fabric = try open(folder, File.namespace), let host = try open(folder, File.host) else { return }
        let inside = try NetlinkSocket(in: fabric.number)
        let outside = try NetlinkSocket(in: host.number)
        if let link = try inside.link(.name(FabricName.uplink)) {
            do throws(SystemError) {
                try inside.send(.rename(link.index, to: lines[0], namespace: host.number))
            } catch {
                guard error.code == EEXIST else { throw error }
                throw SystemError(
                    "give the interface \(lines[0]) back", code: EEXIST,
                    mend: "the host has another of that name by now: rename that one")
            }
            CrashPoint.pass("give device back")
        }
        try restore(lines, outside)
        try folder.remove(File.device)
    }

    private static func restore(_ lines: [String], _ outside: borrowing NetlinkSocket) throws(SystemError) {
        guard let link = try outside.link(.name(lines[0])) else { return }
        if lines[1] == "up" {
            try outside.send(.change(.index(link.index), LinkChange(isUp: true)))
        }
        for prefix in lines.dropFirst(2).compactMap({ IPPrefix($0) }) {
            do throws(SystemError) {
                try outside.send(.add(InterfaceAddress(prefix, link: link.index)))
            } catch {
                if error.code != EEXIST { throw error }
            }
        }
    }

    /// A namespace that a switch's folder keeps; `nil` when it does not (any more).
    static func open(_ folder: borrowing StateFolder, _ file: String) throws(SystemError) -> Descriptor? {
        do throws(SystemError) { return try NetworkNamespace.open("\(folder.path)/\(file)") } catch {
            if error.code == ENOENT || error.code == EINVAL { return nil }
            throw error
        }
    }
}
