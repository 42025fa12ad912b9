import Addresses
import Glibc
import Kernel
import Netlink

/// What is in the network namespace of a macvlan switch: an interface of its own on the parent, where its name server is
/// reached.
struct SharedFabric {
    private let spec: SwitchSpec
    private let namespace: Int32

    init(_ spec: SwitchSpec, _ namespace: Int32) { (self.spec, self.namespace) = (spec, namespace) }

    /// To be called in the host's namespaces.
    func build() throws(SwitchError) {
        let parent = spec.parent ?? ""
        try attributed(to: "parent") { () throws(SystemError) in
            let outside = try NetlinkSocket()
            guard let device = try outside.link(.name(parent)) else {
                throw SystemError("find the interface \"\(parent)\"", code: ENODEV, mend: "see 'ip link'")
            }
            try setNetworkSetting("ipv6/conf/default/accept_ra", "0", in: namespace)
            var link = LinkOptions(FabricName.uplink, address: .random())
            link.mtu = UInt32(min(spec.mtu, Int(device.mtu)))
            link.namespace = namespace
            try outside.send(.create(LinkSpec(link, .macvlan(parent: device.index, MacvlanOptions(.bridge)))))
        }
        try attributed(to: "subnet") { () throws(SystemError) in
            let inside = try NetlinkSocket(in: namespace)
            guard let made = try inside.link(.name(FabricName.uplink)) else {
                throw SystemError("find the switch's own interface", code: ENODEV)
            }
            try inside.send(
                [
                    .change(.name("lo"), LinkChange(isUp: true)),
                    .change(.index(made.index), LinkChange(ipv6Addresses: .never)),
                    .change(.index(made.index), LinkChange(isUp: true)),
                ]
                    + spec.subnets.map {
                        .add(InterfaceAddress($0, link: made.index, flags: .withoutDuplicateDetection))
                    })
        }
    }
}
