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
            let bridge = try #require(try socket.create(LinkSpec(LinkOptions("br0", isUp: true), .bridge())))
            #expect(bridge.kind == "bridge" && bridge.isUp)
            let there = try newNetwork()
            let mac = MACAddress(derivedFrom: "web")
            let peer = LinkOptions("eth0", address: mac, mtu: 9000, namespace: there.number)
            let host = LinkOptions(
                "p1", address: MACAddress(derivedFrom: "p1"), mtu: 9000, txQueueLength: 77, group: 42,
                master: bridge.index, isUp: true)
            let made = try #require(try socket.create(LinkSpec(host, .veth(peer: peer))))
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

    @Test func bothReachOneAnother() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let bridge = try #require(try socket.create(LinkSpec(LinkOptions("br0", isUp: true), .bridge())))
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
