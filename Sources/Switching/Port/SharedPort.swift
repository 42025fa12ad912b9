import Addresses
import Glibc
import Kernel
import Netlink
import Profile

/// An interface on a device of the host's, made straight in the box's namespace (ip-link(8), macvlan).
struct SharedPort {
    private let plan: PortPlan
    private let parent: String
    private let options: MacvlanOptions
    private let host: Int32

    init(_ plan: PortPlan, parent: String, mode: Profile.Interface.Mode, sources: [MACAddress], host: Int32) {
        self.plan = plan
        self.parent = parent
        let own = MacvlanOptions.Mode(mode.rawValue) ?? .bridge
        options = MacvlanOptions(plan.isIsolated ? .private : own, sources: sources)
        self.host = host
    }

    func make(_ box: BoxReference) throws(SwitchError) -> Port {
        try make(box, addresses: plan.fixed ?? [], switchName: nil)
    }

    func make(_ box: BoxReference, on fabric: borrowing Switch) throws(SwitchError) -> Port {
        let addresses = try Leases(fabric).take(plan.fixed, for: box, plan.name)
        return try make(box, addresses: addresses, switchName: fabric.spec.name)
    }

    private func make(_ box: BoxReference, addresses: [IPPrefix], switchName: String?) throws(SwitchError) -> Port {
        let shaper = try PortShaper(plan, inside: box)
        let rules = try SharedRules(plan, inside: box)
        let ownAddresses = try SharedGuard(plan, inside: box)
        let outside = try attributed { () throws(SystemError) in try NetlinkSocket(in: host) }
        let device = try attributed(to: "device") { () throws(SystemError) in try outside.link(.name(parent)) }
        guard let device else {
            throw SwitchError(key: "device", "the host has no interface \"\(parent)\"", mend: "see 'ip link'")
        }
        if isWireless {
            throw SwitchError(
                key: "device", "\"\(parent)\" is a wireless interface, whose access point lets one hardware address in",
                mend: "use a switch with --uplink nat")
        }
        do throws(SystemError) {
            var link = LinkOptions(plan.name, address: options.mode == .passthru ? nil : plan.mac)
            link.mtu = UInt32(min(plan.mtu, device.mtu))
            link.namespace = box.namespace
            let kind: LinkKind =
                plan.kind == .macvtap
                ? .macvtap(parent: device.index, options) : .macvlan(parent: device.index, options)
            let spec = LinkSpec(link, kind)
            // What the kernel says of a device that somebody has for himself.
            try EndingNamespace.outlast(where: { $0.code == EINVAL }) { () throws(SystemError) in
                try outside.send(.create(spec))
            }
        } catch {
            guard error.code == EINVAL || error.code == EBUSY else { throw SwitchError(error, key: "attach") }
            throw SwitchError(
                key: "attach", "\"\(parent)\" takes no interface of mode \(options.mode.name): \(error.message)",
                mend: "passthru needs it alone; a port of a bridge, the loopback and their like take none")
        }
        let inside = try attributed { () throws(SystemError) in try NetlinkSocket(in: box.namespace) }
        let made = try attributed { () throws(SystemError) in try inside.link(.name(plan.name)) }
        guard let made else { throw SwitchError("the interface \(plan.name) is gone as soon as it was made") }
        _ = try shaper?.hold(made, inside)
        let mac = made.address ?? plan.mac
        let end = BoxEnd(plan, made.index)
        var leased = BoxEnd.Leased(addresses: addresses)
        let known = plan.isDynamic ? nil : ownAddresses?.messages(mac, addresses)
        try hold((rules?.messages ?? []) + (known ?? []), in: box.namespace)
        try end.raise(inside)
        if plan.isDynamic {
            leased = try end.lease(inside, mac, for: box)
            // Nothing runs in the box until now.
            let all = leased.addresses + (leased.linkLocal.map { [IPPrefix($0)] } ?? [])
            try hold(ownAddresses?.messages(mac, all) ?? [], in: box.namespace)
        } else if plan.kind != .macvtap {
            // That one's are for the program at its character device: nothing comes to the kernel's own stack.
            try end.setUp(inside, addresses)
        }
        var port = Port(
            name: plan.name, switchName: switchName, attach: plan.kind == .macvtap ? .macvtap : .macvlan,
            addresses: leased.addresses, mac: made.address)
        port.nameServers = leased.nameServers
        return port
    }

    private func hold(_ messages: [NetlinkMessage], in namespace: Int32) throws(SwitchError) {
        if messages.isEmpty { return }
        let key = plan.rules == nil ? "spoofing" : "allow"
        do throws(SystemError) {
            try NetfilterSocket(in: namespace).commit(messages)
        } catch {
            guard error.code == EOPNOTSUPP else { throw SwitchError(error, key: key) }
            throw SwitchError(
                key: key, "this kernel cannot look at what an interface sends: \(error.message)",
                mend: "use Linux 5.16 or newer with CONFIG_NETFILTER_EGRESS and CONFIG_NF_TABLES_NETDEV"
                    + (plan.rules == nil ? ", or set spoofing = \"allow\"" : ""))
        }
    }

    /// cfg80211's devices have this directory.
    private var isWireless: Bool { access("/sys/class/net/\(parent)/wireless", F_OK) == 0 }
}
