import CNetlink
import Testing

@testable import Netlink

struct PortVLANTests {
    private func bytes(_ vlans: [PortVLAN]) -> [UInt8] {
        vlans.flatMap(\.wire).flatMap { info in
            [8, 0, UInt8(IFLA_BRIDGE_VLAN_INFO), 0] + withUnsafeBytes(of: info) { Array($0) }
        }
    }

    @Test func wireAndBack() {
        let vlans = [PortVLAN.access(10), .trunk(20...29), .trunk(4094...4094), PortVLAN(1...2, isUntagged: true)]
        #expect(PortVLAN.all(in: NetlinkAttributes(bytes(vlans)[...])) == vlans)
        #expect(PortVLAN.trunk(20...29).wire.map(\.vid) == [20, 29])
        #expect(PortVLAN.trunk(20...29).wire.map(\.flags) == [8, 16])
        #expect(PortVLAN.access(10).wire.map(\.flags) == [6])
    }

    @Test func rangeThatEndsBeforeItBegins() {
        let end = bridge_vlan_info(flags: 16, vid: 5)
        #expect(PortVLAN(end, from: 9).ids == 5...5)
        #expect(PortVLAN.all(in: nil).isEmpty)
    }
}
