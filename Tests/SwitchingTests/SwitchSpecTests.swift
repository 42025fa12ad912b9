import Addresses
import Profile
import Testing

@testable import Switching

@Suite("Declarations of switches")
struct SwitchSpecTests {
    static func full() throws -> SwitchSpec {
        var spec = SwitchSpec(name: "lab")
        spec.subnets = [try #require(IPPrefix("10.1.0.1/24")), try #require(IPPrefix("fd00::1/64"))]
        spec.uplink = .device("enp3s0")
        spec.mtu = 9000
        (spec.filtersVLANs, spec.isIsolated, spec.snoopsMulticast) = (true, true, false)
        (spec.hasDNS, spec.isTransient) = (true, true)
        spec.vxlan = .init(id: 7, peers: [try #require(IPAddress("192.0.2.7"))], device: "enp3s0")
        spec.vxlan?.port = 4790
        return spec
    }

    @Test("what is written down is read again")
    func roundTrip() throws {
        var plain = SwitchSpec(name: "plain")
        plain.kind = .macvlan
        plain.parent = "enp3s0"
        var plainest = SwitchSpec(name: "plainest")
        plainest.subnets = [try #require(IPPrefix("10.1.0.1/24"))]
        for spec in [SwitchSpec(name: "a"), plainest, try Self.full(), plain] {
            for document in [spec.document, spec.declaration] {
                let text = document.compactJSON
                let read = SwitchSpec(try #require(Value(json: text)), name: spec.name)
                #expect(read == spec, "\(text)")
            }
        }
        #expect(plainest.declaration.compactJSON == #"{"kind":"bridge","subnets":["10.1.0.1/24"]}"#)
    }

    @Test(
        "what we did not write is none",
        arguments: ["kind", "subnets", "uplink", "mtu", "isolated", "transient", "resolvers", "vxlan"])
    func damage(key: String) throws {
        var spec = try Self.full()
        spec.resolvers = [try #require(IPAddress("192.0.2.53"))]
        guard case .table(let entries) = spec.document else { throw NoTable() }
        let spoilt = entries.map { (key: $0.key, value: $0.key == key ? Value.string("x\u{7}") : $0.value) }
        #expect(SwitchSpec(.table(spoilt), name: "lab") == nil)
        let renamed = entries.map { (key: $0.key == key ? "x" : $0.key, value: $0.value) }
        #expect(SwitchSpec(.table(renamed), name: "lab") == nil)
        if key == "kind" || key == "subnets" {
            #expect(SwitchSpec(.table(entries.filter { $0.key != key }), name: "lab") == nil)
        }
    }

    struct NoTable: Error {}

    @Test("names that lead elsewhere are none", arguments: ["", ".", "..", "a/b", "-x", ".x", "a b", "ä"])
    func names(name: String) throws {
        #expect(SwitchSpec(try Self.full().document, name: name) == nil)
    }

    @Test(
        "what contradicts itself is refused",
        arguments: [
            (["224.0.0.1/24"], "holds no hosts"), (["127.0.0.1/8"], "holds no hosts"),
            (["10.1.0.0/24"], "holds no hosts"),
            (["10.1.0.1/24", "10.1.0.2/25"], "overlaps another"), (["10.1.0.1/24", "10.2.0.1/24"], "second one"),
        ])
    func subnets(_ texts: [String], _ problem: String) throws {
        var spec = SwitchSpec(name: "lab")
        spec.subnets = texts.compactMap { IPPrefix($0) }
        let error = #expect(throws: SwitchError.self) { try spec.check() }
        #expect(error?.key == "subnet" && error?.message.contains(problem) == true, "\(String(describing: error))")
    }

    @Test("a macvlan has a parent and no uplink")
    func kinds() throws {
        var spec = SwitchSpec(name: "lab")
        spec.kind = .macvlan
        #expect(throws: SwitchError.self) { try spec.check() }
        spec.parent = "enp3s0"
        try spec.check()
        spec.filtersVLANs = true
        #expect(throws: SwitchError.self) { try spec.check() }
        var bridge = SwitchSpec(name: "lab")
        bridge.parent = "enp3s0"
        #expect(throws: SwitchError.self) { try bridge.check() }
    }
}
