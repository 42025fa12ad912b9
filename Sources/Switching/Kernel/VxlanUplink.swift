import Addresses
import Glibc
import Kernel
import Netlink

/// What joins the bridges of one switch on several hosts (RFC 7348): a device whose packets travel in the host's network
/// namespace and whose frames come out in the switch's. It goes with the switch.
struct VxlanUplink {
    let tunnel: SwitchSpec.Tunnel
    let spec: SwitchSpec

    static let name = "vx0"

    /// To be called in the host's network namespace.
    func make(in namespace: Int32) throws(SwitchError) {
        let outside = try attributed { () throws(SystemError) in try NetlinkSocket() }
        var options = VxlanOptions(id: tunnel.id, remote: tunnel.peers.first)
        options.port = tunnel.port
        if let device = tunnel.device {
            let link = try attributed { () throws(SystemError) in try outside.link(.name(device)) }
            guard let link else {
                throw SwitchError(key: "device", "the host has no interface \"\(device)\"", mend: "see 'ip link'")
            }
            options.parent = link.index
            try checkSize(link)
        }
        try attributed(to: "vxlan") { () throws(SystemError) in
            var link = LinkOptions(VxlanUplink.name, mtu: UInt32(spec.mtu))
            link.namespace = namespace
            try outside.send(.create(LinkSpec(link, .vxlan(options))))
            let inside = try NetlinkSocket(in: namespace)
            guard let made = try inside.link(.name(VxlanUplink.name)),
                let bridge = try inside.link(.name(FabricName.bridge))
            else { throw SystemError("find the interface \(VxlanUplink.name) just made", code: ENODEV) }
            try inside.send(
                // The first peer is the device's own.
                tunnel.peers.dropFirst().map {
                    .replace(ForwardingEntry(.zero, vxlan: made.index, destination: $0))
                } + [
                    .change(.index(made.index), LinkChange(ipv6Addresses: .never)),
                    .change(.index(made.index), LinkChange(isUp: true, master: bridge.index)),
                ] + (spec.filtersVLANs ? [.add(Fabric.otherVLANs, toPort: made.index)] : []))
        }
    }

    /// Deletes it where a switch's namespace has one: its number is free for another switch at once, not when the kernel
    /// has taken the namespace down.
    static func remove(from fabric: Int32) throws(SystemError) {
        let socket = try NetlinkSocket(in: fabric)
        if let link = try socket.link(.name(name)) { try socket.send(.delete(.index(link.index))) }
    }

    /// Headers that a frame gets on its way.
    private var overhead: Int { tunnel.peers.first?.family == .v6 ? 70 : 50 }

    private func checkSize(_ device: Link) throws(SwitchError) {
        if spec.mtu + overhead <= device.mtu { return }
        throw SwitchError(
            key: "mtu",
            "packets of \(spec.mtu) bytes do not fit through \"\(device.name)\", whose MTU is \(device.mtu)",
            mend: "use --mtu \(device.mtu - overhead)")
    }
}

extension SwitchSpec.Tunnel {
    /// The MTU that fits where the underlay has Ethernet's.
    public var usualMTU: Int { peers.first?.family == .v6 ? 1430 : 1450 }

    func check() throws(SwitchError) {
        if peers.isEmpty {
            throw SwitchError(key: "vxlan", "it leads nowhere", mend: "add --peer ADDRESS, or --group with --device")
        }
        let families = Set(peers.map { $0.family })
        if families.count > 1 {
            throw SwitchError(key: "peer", "IPv4 and IPv6 peers cannot be mixed", mend: "name all by one of them")
        }
        let groups = peers.filter { $0.isMulticast }
        if groups.isEmpty { return }
        if peers.count > 1 {
            throw SwitchError(key: "group", "one group takes the place of all peers", mend: "take the others out")
        }
        if device == nil {
            throw SwitchError(key: "group", "\(groups[0]) needs a device to leave by", mend: "add --device NAME")
        }
    }
}
