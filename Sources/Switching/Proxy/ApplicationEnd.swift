public import Addresses
import Kernel
public import Netlink

/// An application's interface as its own network namespace has it.
public struct ApplicationEnd: Sendable, Equatable {
    /// What it is called there.
    public var interface: String
    public var mac: MACAddress
    public var addresses: [IPPrefix]
    /// Those that leave by it, in the main table.
    public var routes: [Route]

    /// - Parameter namespace: a descriptor of the application's network namespace.
    public init(_ interface: String, in namespace: Int32) throws(SwitchError) {
        let (link, addresses, routes) = try attributed { () throws(SystemError) in
            let socket = try NetlinkSocket(in: namespace)
            let link = try socket.link(.name(interface))
            guard let link else { return (nil as Link?, [IPPrefix](), [Route]()) }
            return (link, try socket.addresses(of: link.index).map(\.prefix), try socket.routes())
        }
        guard let link, let mac = link.address else {
            throw SwitchError(key: "chain", "the application has no interface \"\(interface)\"")
        }
        self.interface = interface
        self.mac = mac
        self.addresses = addresses
        // A router is reached by a network that is there already.
        let own = routes.filter { $0.link == link.index }
        self.routes = own.filter { $0.gateway == nil } + own.filter { $0.gateway != nil }
    }
}
