import Addresses
import Glibc
import Kernel
import Testing

@testable import Netlink

@Suite(.enabled(if: isRoot, needsRoot))
struct VethTests {
    @Test func oneMessageMakesBothEnds() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let bridge = try socket.create(LinkSpec(LinkOptions("br0", isUp: true), .bridge()))
            #expect(bridge.kind == "bridge" && bridge.isUp)
            let there = try newNetwork()
            let mac = MACAddress(derivedFrom: "web")
            let peer = LinkOptions("eth0", address: mac, mtu: 9000, namespace: there.number)
            let host = LinkOptions(
                "p1", address: MACAddress(derivedFrom: "p1"), mtu: 9000, txQueueLength: 77, group: 42,
                master: bridge.index, isUp: true)
            let made = try socket.create(LinkSpec(host, .veth(peer: peer)))
            try socket.send(.change("p1", LinkChange(alias: "web: the first", ipv6Addresses: .never)))

            let end = try #require(try socket.link(.index(made.index)))
            #expect(end.name == "p1" && end.kind == "veth" && end.portKind == "bridge" && end.isUp)
            #expect(end.master == bridge.index && end.group == 42 && end.mtu == 9000 && end.txQueueLength == 77)
            #expect(end.alias == "web: the first")
            let far = try NetlinkSocket(in: there.number)
            let other = try #require(try far.link("eth0"))
            #expect(other.index == made.other && other.address == mac && other.mtu == 9000 && !other.isUp)
            #expect(other.other == made.index)
            #expect(end.otherNamespace != nil)
        }
    }

    /// A list of more than one datagram, with what comes of 500 interfaces.
    @Test func longListIsWhole() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            try socket.send((0..<500).map { .create(LinkSpec(LinkOptions("br\($0)", group: 7), .bridge())) })
            let links = try socket.links()
            #expect(links.count == 501)
            #expect(Set(links.map(\.name)) == Set((0..<500).map { "br\($0)" } + ["lo"]))
            #expect(links.allSatisfy { $0.name == "lo" || $0.address != nil && $0.bridge != nil && $0.group == 7 })
            try socket.send(.delete(group: 7))
        }
    }

    @Test func changeThatFailsLeavesNothing() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let spec = LinkSpec(LinkOptions("a"), .veth(peer: LinkOptions("b")))
            // It is no bridge's port.
            let failed = #expect(throws: SystemError.self) {
                try socket.create(spec, LinkChange(alias: "x", port: BridgePortOptions(isolated: true)))
            }
            #expect(failed?.action.hasPrefix("change the interface number") == true)
            #expect(try socket.links().map(\.name) == ["lo"])
        }
    }

    @Test func nameThatIsTakenIsLeftAlone() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let first = LinkSpec(LinkOptions("a"), .veth(peer: LinkOptions("b")))
            try socket.create(first, LinkChange(alias: "the first"))
            let second = LinkSpec(LinkOptions("a"), .bridge())
            #expect(
                #expect(throws: SystemError.self) { try socket.create(second, LinkChange(alias: "the second")) }?.code
                    == EEXIST)
            #expect(try socket.link("a")?.alias == "the first")
        }
    }

    @Test func madeElsewhereIsFoundThere() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let there = try newNetwork()
            let spec = LinkSpec(LinkOptions("br7", namespace: there.number), .bridge())
            let made = try socket.create(spec, LinkChange(alias: "far"))
            #expect(made.name == "br7" && made.kind == "bridge")
            #expect(try NetlinkSocket(in: there.number).link("br7")?.alias == "far")
            #expect(try socket.link("br7") == nil)
        }
    }

    @Test func bothReachOneAnother() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let bridge = try socket.create(LinkSpec(LinkOptions("br0", isUp: true), .bridge()))
            let a = try Station.join("a", "10.1.0.2/24", on: socket, bridge: bridge.index)
            let b = try Station.join("b", "10.1.0.3/24", on: socket, bridge: bridge.index)
            let c = try Station.join("c", "fd00::4/64", on: socket, bridge: bridge.index)
            let d = try Station.join("d", "fd00::5/64", on: socket, bridge: bridge.index)
            #expect(try a.reaches(b))
            #expect(try b.reaches(a))
            #expect(try c.reaches(d))
            #expect(try !a.reaches(d, tries: 1))
            #expect(try socket.links(master: bridge.index).map(\.name) == ["a", "b", "c", "d"])
        }
    }

    @Test func failureNamesWhatAndWhy() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let unknown = #expect(throws: SystemError.self) {
                try socket.send(.create(LinkSpec(LinkOptions("x"), .plain("nosuchkind"))))
            }
            #expect(
                unknown?.message
                    == "create the interface x (nosuchkind): Operation not supported; "
                    + "the kernel says: Unknown device type"
            )
            let long = #expect(throws: SystemError.self) {
                try socket.send(.create(LinkSpec(LinkOptions("sixteencharacter"), .bridge())))
            }
            #expect(long?.code == ERANGE || long?.code == EINVAL)
            #expect(try socket.link("x") == nil)
        }
    }

    @Test func oneOfManyFails() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let messages = (0..<100).map { number in
                NetlinkMessage.create(LinkSpec(LinkOptions("br\(number == 50 ? 49 : number)"), .bridge()))
            }
            let outcomes = try socket.outcomes(of: messages)
            #expect(outcomes.count == 100)
            #expect(outcomes.indices.filter { outcomes[$0] != nil } == [50])
            #expect(outcomes[50]?.code == EEXIST)
            #expect(try socket.links().count == 100)
            #expect(throws: SystemError.self) { try socket.send(messages) }
        }
    }

    @Test func goTogetherByGroup() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            for number in 0..<3 {
                let there = try newNetwork()
                let peer = LinkOptions("eth0", namespace: there.number)
                try socket.send(.create(LinkSpec(LinkOptions("p\(number)", group: 7), .veth(peer: peer))))
                _ = there
            }
            try socket.send(.create(LinkSpec(LinkOptions("br0"), .bridge())))
            try socket.send(.delete(group: 7))
            #expect(try socket.links().map(\.name) == ["lo", "br0"])
            let none = #expect(throws: SystemError.self) { try socket.send(.delete(group: 7)) }
            #expect(none?.code == ENODEV)
            try socket.send(.delete("br0"))
            #expect(try socket.links().map(\.name) == ["lo"])
        }
    }
}
