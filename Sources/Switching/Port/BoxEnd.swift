import Addresses
import Glibc
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

    /// Without addresses. Of a device's interfaces that are up each has a hardware address of its own.
    func raise(_ socket: borrowing NetlinkSocket) throws(SwitchError) {
        do throws(SystemError) {
            try EndingNamespace.outlast(where: { $0.code == EADDRINUSE }) { () throws(SystemError) in
                try socket.send([
                    .change(.index(index), LinkChange(ipv6Addresses: .never)),
                    .change(.index(index), LinkChange(isUp: true)),
                ])
            }
        } catch {
            throw error.code == EADDRINUSE ? .taken(plan.mac) : SwitchError(error)
        }
    }

    /// What has come by DHCP.
    struct Leased {
        var addresses: [IPPrefix] = []
        /// The interface's own on its link, where the box needs it.
        var linkLocal: IPAddress?
        var nameServers: [IPAddress] = []
    }

    /// Gets the addresses from DHCP servers. To be called when it is up, and before the box can send.
    ///
    /// - Parameter mac: the interface's own.
    /// - Parameter use: is told each address before it is the box's.
    /// - Returns: the addresses, in the box already, which are renewed from then on.
    func lease(
        _ socket: borrowing NetlinkSocket, _ mac: MACAddress, for box: BoxReference,
        _ use: (IPPrefix) throws(SwitchError) -> Void = { _ throws(SwitchError) in }
    ) throws(SwitchError) -> Leased {
        let client = DHCPClient(
            namespace: box.namespace, link: index, interface: plan.name, mac: mac, hostname: box.owner)
        var keeper = LeaseKeeper(client: client, box: box)
        do throws(SwitchError) {
            try lease(&keeper, socket, use)
        } catch {
            // What one server has given is given back when another gives nothing.
            if keeper.lease != nil { try keeper.start(socket) }
            throw error
        }
        try keeper.start(socket)
        let addresses = [keeper.lease?.address, keeper.lease6?.address].compactMap { $0 }
        let router = plan.takesRouter ? keeper.lease?.router.map { [$0] } ?? [] : plan.defaultRoutes
        try setRoutes(socket, addresses, router)
        return Leased(
            addresses: addresses, linkLocal: keeper.lease6 == nil ? nil : DHCPv6Client(client).linkLocal,
            nameServers: (keeper.lease?.nameServers ?? []) + (keeper.lease6?.nameServers ?? []))
    }

    private func lease(
        _ keeper: inout LeaseKeeper, _ socket: borrowing NetlinkSocket, _ use: (IPPrefix) throws(SwitchError) -> Void
    ) throws(SwitchError) {
        if plan.dynamic.contains(.v4) {
            let lease = try keeper.client.acquire()
            try use(lease.address)
            keeper.lease = lease
        }
        if plan.dynamic.contains(.v6) {
            let lease = try DHCPv6Client(keeper.client).acquire(socket, takesRouter: plan.takesRouter)
            try use(lease.address)
            keeper.lease6 = lease
        }
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
