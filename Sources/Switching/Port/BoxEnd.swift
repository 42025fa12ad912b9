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
        let families = Set(addresses.map { $0.family })
        try attributed(to: "gateway") { () throws(SystemError) in
            try socket.send(
                plan.defaultRoutes.filter { families.contains($0.family) }.map {
                    .add(.byDefault(via: $0, link: index))
                })
        }
        try attributed(to: "routes") { () throws(SystemError) in
            try socket.send(plan.routes.map { .add(Route(to: $0.to, via: $0.via, link: index)) })
        }
    }
}
