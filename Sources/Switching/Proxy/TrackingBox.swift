import Addresses
import Glibc
import Kernel
import Netlink

/// A function's box whose bridge hands what passes to the packet filter of IP, with its tracking of connections and its
/// translation of addresses (br_netfilter).
///
/// A packet whose destination has been changed there goes where the box's routes lead, with that neighbour's hardware
/// address: so the box knows the application's addresses. All of them are at one interface, and nothing else has to be
/// known. The box itself has no address.
public struct TrackingBox: ~Copyable {
    private let namespace: Int32
    private let socket: NetlinkSocket

    /// - Parameter namespace: a descriptor of the box's network namespace.
    public init(in namespace: Int32) throws(SwitchError) {
        socket = try attributed { () throws(SystemError) in try NetlinkSocket(in: namespace) }
        self.namespace = namespace
    }

    /// The bridge of the box's first pair.
    private static let bridge = "wire0"
    /// Of translation.
    private static let table = "nat"
    /// Families in it are those of which nothing that begins is translated.
    private static let paused = "paused"

    /// Lets what is translated reach an application.
    public func lead(to application: ApplicationEnd) throws(SwitchError) {
        try attributed(to: "chain") { () throws(SystemError) in
            guard let bridge = try socket.link(.name(TrackingBox.bridge)) else {
                throw SystemError("find the interface \(TrackingBox.bridge) of the function's box", code: ENODEV)
            }
            // What is not its own the kernel only takes for a bridged packet where it may be handed on.
            try setNetworkSetting("ipv4/ip_forward", "1", in: namespace)
            for name in ["all", TrackingBox.bridge] {
                try setNetworkSetting("ipv4/conf/\(name)/rp_filter", "0", in: namespace)
            }
            try socket.send(
                application.addresses.flatMap { prefix in
                    [
                        NetlinkMessage.replace(Route(to: IPPrefix(prefix.address), link: bridge.index)),
                        .replace(Neighbour(prefix.address, application.mac, link: bridge.index)),
                    ]
                })
        }
    }

    /// Whether what begins is translated; what has begun is, as long as it lasts. A box without the set for that has
    /// nothing to leave off.
    public func letBegin(_ isOpen: Bool) throws(SwitchError) {
        let set = "inet \(TrackingBox.table) \(TrackingBox.paused)"
        let change = isOpen ? "flush set \(set)" : "add element \(set) { ipv4, ipv6 }"
        let said = try Program("nft", package: "nftables").attempt(["-f", "-"], input: change + "\n", in: namespace)
        guard let said, !said.contains("No such file or directory") else { return }
        throw SwitchError(
            key: "chain",
            "the function's set \(TrackingBox.paused) cannot be changed: "
                + (said.split(separator: "\n").first.map { String($0) } ?? "nft said nothing"))
    }

    /// How many TCP connections are translated, of those that are not over.
    public func connections() throws(SwitchError) -> Int {
        try attributed { () throws(SystemError) in
            try NetfilterSocket(in: namespace).trackedConnections().count { $0.isTranslated && $0.isOpenTCP }
        }
    }
}
