import Addresses
import Profile
import Testing

@testable import Switching

@Suite("Ports as they are planned")
struct PortPlanTests {
    private func spec(_ change: (inout SwitchSpec) -> Void = { _ in }) throws -> SwitchSpec {
        var spec = SwitchSpec(name: "lab")
        spec.subnets = [try #require(IPPrefix("10.1.0.1/24")), try #require(IPPrefix("fd00::1/64"))]
        change(&spec)
        return spec
    }

    private func plan(
        _ change: (inout Profile.Interface) -> Void = { _ in }, on spec: SwitchSpec, owner: String? = "web"
    ) throws -> PortPlan {
        var interface = Profile.Interface()
        interface.switchName = "lab"
        change(&interface)
        return try PortPlan(interface, name: "eth0", on: spec, owner: owner)
    }

    @Test("what the interface does not say the switch does")
    func defaults() throws {
        let usual = try plan(on: spec())
        #expect(usual.fixed == nil && usual.mtu == 1500 && !usual.isIsolated && usual.isGuarded && usual.rules == nil)
        #expect(usual.defaultRoutes.isEmpty && usual.kind == .veth)
        let other = try plan(on: try spec { ($0.mtu, $0.isIsolated, $0.uplink) = (9000, true, .nat) })
        #expect(other.mtu == 9000 && other.isIsolated)
        #expect(other.defaultRoutes.map { $0.description } == ["10.1.0.1", "fd00::1"])
        let own = try plan({ ($0.mtu, $0.isolated) = (576, false) }, on: try spec { $0.isIsolated = true })
        #expect(own.mtu == 576 && !own.isIsolated)
    }

    @Test("the hardware address is the same for the same name on the same switch, and by chance without a name")
    func hardwareAddress() throws {
        let spec = try spec()
        #expect(try plan(on: spec).mac == plan(on: spec).mac)
        #expect(try plan(on: spec).mac != plan(on: spec, owner: "db").mac)
        #expect(try plan(on: spec, owner: nil).mac != plan(on: spec, owner: nil).mac)
        #expect(try plan({ $0.hardwareAddress = .random }, on: spec).mac != plan(on: spec).mac)
        #expect(try !plan(on: spec).mac.isMulticast && plan(on: spec).mac.isLocal)
    }

    @Test(
        "addresses that cannot be of this switch",
        arguments: [
            ("10.2.0.5/24", "is not in"), ("10.1.0.1/24", "of the switch \"lab\" itself"),
            ("10.1.0.5/16", "another length"), ("fd01::5/64", "is not in"), ("fd00::1/64", "itself"),
        ])
    func addresses(_ text: String, _ problem: String) throws {
        let prefix = try #require(IPPrefix(text))
        let spec = try spec()
        let error = #expect(throws: SwitchError.self) { try plan({ $0.address = .fixed([prefix]) }, on: spec) }
        #expect(error?.key == "address" && error?.message.contains(problem) == true, "\(String(describing: error))")
        #expect(error?.mend != nil)
    }

    @Test("VLANs need a switch that filters by them")
    func vlans() throws {
        let error = #expect(throws: SwitchError.self) { try plan({ $0.vlan = 7 }, on: spec()) }
        #expect(error?.key == "vlan")
        let trunk = #expect(throws: SwitchError.self) { try plan({ $0.trunk = [7] }, on: spec()) }
        #expect(trunk?.key == "trunk")
        #expect(try plan({ $0.vlan = 7 }, on: spec { $0.filtersVLANs = true }).vlan == 7)
    }

    @Test("DHCP on a trunk without a VLAN of its own, or from the switch's own server in another VLAN")
    func dynamicInVLANs() throws {
        let filtering = try spec { ($0.filtersVLANs, $0.subnets) = (true, []) }
        let dynamic = { (interface: inout Profile.Interface) in interface.address = .dynamic([.v4]) }
        #expect(
            try plan(
                {
                    dynamic(&$0); $0.vlan = 10
                }, on: filtering
            ).dynamic == [.v4])
        #expect(
            try plan(
                {
                    dynamic(&$0); ($0.vlan, $0.trunk) = (10, [20])
                }, on: filtering
            ).dynamic == [.v4])
        let trunk = #expect(throws: SwitchError.self) {
            try plan(
                {
                    dynamic(&$0); $0.trunk = [10]
                }, on: filtering)
        }
        #expect(trunk?.key == "address" && trunk?.mend != nil)
        let serving = try spec { ($0.filtersVLANs, $0.hasDNS, $0.hasDHCP) = (true, true, true) }
        #expect(try plan({ dynamic(&$0) }, on: serving).fixed == nil)
        #expect(
            try plan(
                {
                    dynamic(&$0); $0.vlan = 1
                }, on: serving
            ).fixed == nil)
        for change in [{ $0.vlan = 10 }, { $0.trunk = [10] }] as [(inout Profile.Interface) -> Void] {
            let error = #expect(throws: SwitchError.self) {
                try plan(
                    {
                        dynamic(&$0); change(&$0)
                    }, on: serving)
            }
            #expect(error?.key == "address" && error?.message.contains("VLAN 1") == true)
        }
    }
}
