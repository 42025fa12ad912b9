import Addresses
import Glibc
import Kernel
import Netlink
import Profile

/// A device of the host's that is the box's own while that runs: moved in, and given back under its old name.
///
/// The kernel gives hardware back by itself when the namespace goes, under the name that it has there, and deletes all
/// other devices: hence a ``Guardian``, which takes the device out before that.
struct PhysicalPort {
    private let plan: PortPlan
    private let device: String
    private let mac: MACAddress?
    private let mtu: Int?
    private let host: Int32

    init(_ plan: PortPlan, _ interface: Profile.Interface, _ host: Int32) throws(SwitchError) {
        self.plan = plan
        device = interface.device ?? ""
        mac = interface.hardwareAddress == .auto ? nil : plan.mac
        mtu = interface.mtu
        self.host = host
    }

    func make(_ box: BoxReference) throws(SwitchError) -> Port {
        let shaper = try PortShaper(plan, inside: box)
        let outside = try attributed { () throws(SystemError) in try NetlinkSocket(in: host) }
        let before = try attributed(to: "device") { () throws(SystemError) in try outside.link(.name(device)) }
        guard let before else {
            throw SwitchError(key: "device", "the host has no interface \"\(device)\"", mend: "see 'ip link'")
        }
        if before.master != nil {
            throw SwitchError(
                key: "device", "\"\(device)\" is a port of another device", mend: "'ip link set \(device) nomaster'")
        }
        let inside = try attributed { () throws(SystemError) in try NetlinkSocket(in: box.namespace) }
        let moved = try move(before, outside, inside, box)
        _ = try shaper?.hold(moved, inside)
        let change = LinkChange(address: mac, mtu: mtu.map { UInt32($0) })
        try attributed(to: mac != nil ? "mac" : "mtu") { () throws(SystemError) in
            if mac != nil || mtu != nil { try inside.send(.change(.index(moved.index), change)) }
        }
        var leased = BoxEnd.Leased(addresses: plan.fixed ?? [])
        let end = BoxEnd(plan, moved.index)
        if plan.isDynamic {
            try end.raise(inside)
            leased = try end.lease(inside, mac ?? before.address ?? plan.mac, for: box)
        } else {
            try end.setUp(inside, leased.addresses)
        }
        var port = Port(
            name: plan.name, switchName: nil, attach: .physical, addresses: leased.addresses,
            mac: mac ?? before.address)
        port.nameServers = leased.nameServers
        return port
    }

    /// Who is to give it back is there before it is moved.
    private func move(
        _ before: Link, _ outside: borrowing NetlinkSocket, _ inside: borrowing NetlinkSocket, _ box: BoxReference
    ) throws(SwitchError) -> Link {
        let guardian = Guardian(box, kept: [host, box.namespace])
        try guardian.start({ () throws(SwitchError) in
            try attributed(to: "device") { () throws(SystemError) in
                let socket = try NetlinkSocket(in: host)
                try socket.send(.rename(before.index, to: plan.name, namespace: box.namespace))
            }
            return -1
        }) { giveBack(before, box.namespace) }
        let moved = try attributed { () throws(SystemError) in try inside.link(.name(plan.name)) }
        guard let moved else { throw SwitchError("the interface \(plan.name) is gone as soon as it was moved") }
        return moved
    }

    /// Whatever the box has called it since: it is the one with this hardware address, or the only one of its kind.
    private func giveBack(_ before: Link, _ namespace: Int32) {
        do throws(SystemError) {
            let inside = try NetlinkSocket(in: namespace)
            let all = try inside.links().filter { $0.kind == before.kind && $0.index != 1 }
            guard let link = all.first(where: { $0.index == before.index || $0.name == plan.name }) ?? all.first
            else { return }
            try inside.send(.change(.index(link.index), LinkChange(isUp: false)))
            let change = LinkChange(address: before.address, mtu: UInt32(before.mtu))
            _ = try inside.outcomes(of: [.change(.index(link.index), change)])
            let names = [before.name, "dev%d"]
            for name in names {
                let outcome = try inside.outcomes(of: [.rename(link.index, to: name, namespace: host)])
                if outcome[0] == nil { break }
            }
            if before.isUp { try NetlinkSocket(in: host).send(.change(.name(before.name), LinkChange(isUp: true))) }
        } catch {
            // Nobody is there to be told. The kernel gives hardware back all the same.
        }
    }
}
