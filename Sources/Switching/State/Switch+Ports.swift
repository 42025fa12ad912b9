import Kernel
public import Netlink

/// A port as the switch's namespace shows it.
public struct FabricPort: Sendable {
    public var link: Link
    public var label: PortLabel?
}

extension Switch {
    /// The ports, in the order in which they were made.
    public borrowing func ports() throws(SwitchError) -> [FabricPort] {
        if spec.kind == .macvlan { return [] }
        let links = try attributed { () throws(SystemError) in try NetlinkSocket(in: namespace.number).links() }
        return links.filter { $0.group == FabricGroup.ports }.map { link in
            FabricPort(link: link, label: link.alias.flatMap { PortLabel($0) })
        }
    }

    /// How many ports it has, those too that the kernel does not show to us.
    public borrowing func portCount() throws(SwitchError) -> Int {
        if spec.kind == .bridge { return try ports().count }
        let leases = try Leases(self)
        return try attributed { () throws(SystemError) in try leases.owners().count }
    }
}
