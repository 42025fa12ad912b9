import CNetlink
import Glibc
public import Kernel

/// VLANs that a bridge's port takes part in (bridge(8), `bridge vlan`). The bridge must filter by VLAN.
public struct PortVLAN: Sendable, Equatable {
    /// Within 1 to 4094.
    public var ids: ClosedRange<UInt16>
    /// Frames go out without a tag.
    public var isUntagged: Bool
    /// Frames that come in without a tag belong to it; only with one VLAN.
    public var isDefault: Bool

    public init(_ ids: ClosedRange<UInt16>, isUntagged: Bool = false, isDefault: Bool = false) {
        self.ids = ids
        self.isUntagged = isUntagged
        self.isDefault = isDefault
    }

    /// The one VLAN of a port whose station knows nothing of it.
    public static func access(_ id: UInt16) -> PortVLAN { PortVLAN(id...id, isUntagged: true, isDefault: true) }

    /// VLANs of a port whose station tells them apart by their tags.
    public static func trunk(_ ids: ClosedRange<UInt16>) -> PortVLAN { PortVLAN(ids) }

    private var flags: Int32 {
        (isUntagged ? BRIDGE_VLAN_INFO_UNTAGGED : 0) | (isDefault ? BRIDGE_VLAN_INFO_PVID : 0)
    }

    /// One structure, or the two ends of a range.
    var wire: [bridge_vlan_info] {
        if ids.count == 1 { return [bridge_vlan_info(flags: UInt16(flags), vid: ids.lowerBound)] }
        return [
            bridge_vlan_info(flags: UInt16(flags | BRIDGE_VLAN_INFO_RANGE_BEGIN), vid: ids.lowerBound),
            bridge_vlan_info(flags: UInt16(flags | BRIDGE_VLAN_INFO_RANGE_END), vid: ids.upperBound),
        ]
    }

    init(_ info: bridge_vlan_info, from first: UInt16) {
        ids = min(first, info.vid)...info.vid
        isUntagged = Int32(info.flags) & BRIDGE_VLAN_INFO_UNTAGGED != 0
        isDefault = Int32(info.flags) & BRIDGE_VLAN_INFO_PVID != 0
    }
}

extension NetlinkMessage {
    /// Lets a bridge's port, by its index, take part in VLANs; EOPNOTSUPP where the kernel has none on bridges.
    ///
    /// - Parameter ofBridge: it is the bridge itself, which has a port of its own.
    public static func add(_ vlans: [PortVLAN], toPort port: Int32, ofBridge: Bool = false) -> NetlinkMessage {
        message(vlans, "add VLANs to", RTM_SETLINK, port, ofBridge)
    }

    public static func delete(_ vlans: [PortVLAN], fromPort port: Int32, ofBridge: Bool = false) -> NetlinkMessage {
        message(vlans, "delete VLANs from", RTM_DELLINK, port, ofBridge)
    }

    private static func message(
        _ vlans: [PortVLAN], _ verb: String, _ type: Int, _ port: Int32, _ ofBridge: Bool
    ) -> NetlinkMessage {
        let message = NetlinkMessage("\(verb) the bridge port number \(port)", type, capacity: 256 + 16 * vlans.count)
        message.header(.index(port), family: AF_BRIDGE)
        message.nest(IFLA_AF_SPEC) {
            if ofBridge { message.put(IFLA_BRIDGE_FLAGS, UInt16(BRIDGE_FLAGS_SELF)) }
            for vlan in vlans {
                for info in vlan.wire { message.put(IFLA_BRIDGE_VLAN_INFO, info) }
            }
        }
        return message
    }
}

extension NetlinkSocket {
    /// The VLANs of a bridge's port, or of the bridge itself, by its index. None where the kernel has none on bridges.
    public func vlans(ofPort port: Int32) throws(SystemError) -> [PortVLAN] { try vlans()[port] ?? [] }

    /// The VLANs of all ports of bridges, by their index.
    public func vlans() throws(SystemError) -> [Int32: [PortVLAN]] {
        let message = NetlinkMessage("list the VLANs of bridge ports", RTM_GETLINK)
        message.header(.index(0), family: AF_BRIDGE)
        message.put(IFLA_EXT_MASK, UInt32(RTEXT_FILTER_BRVLAN_COMPRESSED))
        var vlans: [Int32: [PortVLAN]] = [:]
        try dump(message, reset: { vlans = [:] }) { reply in
            guard let header = reply.header(ifinfomsg.self) else { return }
            let found = PortVLAN.all(in: reply.attributes(after: ifinfomsg.self)[IFLA_AF_SPEC]?.nested)
            vlans[header.ifi_index, default: []] += found
        }
        return vlans
    }
}

extension PortVLAN {
    static func all(in attributes: NetlinkAttributes?) -> [PortVLAN] {
        var vlans: [PortVLAN] = []
        var first: UInt16?
        attributes?.forEach { attribute in
            guard attribute.type == IFLA_BRIDGE_VLAN_INFO, let info = attribute.value(bridge_vlan_info.self)
            else { return }
            if Int32(info.flags) & BRIDGE_VLAN_INFO_RANGE_BEGIN != 0 {
                first = info.vid
            } else {
                vlans.append(PortVLAN(info, from: first ?? info.vid))
                first = nil
            }
        }
        return vlans
    }
}
