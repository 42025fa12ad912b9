import Addresses
import Kernel
import Netlink
import Profile

/// The end of a port that is in the box: addresses and routes.
struct BoxEnd {
    private let plan: PortPlan
    private let index: Int32

    init(_ plan: PortPlan, _ index: Int32) { (self.plan, self.index) = (plan, index) }

    func setUp(_ socket: borrowing NetlinkSocket, _ addresses: [IPPrefix]) throws(SwitchError) {
        try attributed(to: "address") { () throws(SystemError) in
            try socket.send(
                // Once it is up the kernel gives it an address of its own accord.
                [
                    .change(.index(index), LinkChange(ipv6Addresses: .never)),
                    .change(.index(index), LinkChange(isUp: true)),
                ]
                    // Nobody else has them: that is known, and need not be asked.
                    + addresses.map { .add(InterfaceAddress($0, link: index, flags: .withoutDuplicateDetection)) })
        }
        try setRoutes(socket, addresses, plan.defaultRoutes)
    }

    /// Without addresses.
    func raise(_ socket: borrowing NetlinkSocket) throws(SwitchError) {
        try attributed { () throws(SystemError) in
            try socket.send([
                .change(.index(index), LinkChange(ipv6Addresses: .never)),
                .change(.index(index), LinkChange(isUp: true)),
            ])
        }
    }

    /// Gets the address from a DHCP server. To be called before the box can send.
    ///
    /// - Parameter mac: the interface's own.
    /// - Parameter use: is told the lease before the address is the box's.
    /// - Returns: the address, in the box already, which is renewed from then on.
    func lease(
        _ socket: borrowing NetlinkSocket, _ mac: MACAddress, for box: BoxReference,
        _ use: (DynamicLease) throws(SwitchError) -> Void = { _ throws(SwitchError) in }
    ) throws(SwitchError) -> [IPPrefix] {
        try raise(socket)
        let client = DHCPClient(
            namespace: box.namespace, link: index, interface: plan.name, mac: mac, hostname: box.owner)
        let lease = try client.acquire()
        try use(lease)
        try LeaseKeeper(client: client, lease: lease, box: box).start(socket)
        let router = plan.takesRouter ? lease.router.map { [$0] } ?? [] : plan.defaultRoutes
        try setRoutes(socket, [lease.address], router)
        return [lease.address]
    }

    private func setRoutes(
        _ socket: borrowing NetlinkSocket, _ addresses: [IPPrefix], _ routers: [IPAddress]
    ) throws(SwitchError) {
        try attributed(to: "gateway") { () throws(SystemError) in
            try socket.send(
                routers.filter { router in addresses.contains { $0.family == router.family } }.map {
                    .add(.byDefault(via: $0, link: index))
                })
        }
        try attributed(to: "routes") { () throws(SystemError) in
            try socket.send(plan.routes.map { .add(Route(to: $0.to, via: $0.via, link: index)) })
        }
    }
}
