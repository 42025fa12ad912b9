import Addresses
import Glibc
import Kernel
import Testing

@testable import Netlink

@Suite(.enabled(if: isRoot, needsRoot))
struct VxlanTests {
    @Test(arguments: [("192.0.2.1/24", "192.0.2.2/24"), ("fd00:1::1/64", "fd00:1::2/64")])
    func twoHostsShareASwitch(first: String, second: String) throws {
        try inNewNetwork { _ in
            let here = try newNetwork()
            let there = try newNetwork()
            let wire = LinkSpec(
                LinkOptions("wire", namespace: here.number),
                .veth(peer: LinkOptions("wire", namespace: there.number)))
            let socket = try NetlinkSocket()
            try socket.send(.create(wire))
            let (a, b) = (try end(here, first, second, "10.1.0.2/24"), try end(there, second, first, "10.1.0.3/24"))
            #expect(try arrives(from: here.number, to: there.number, b, tries: 20))
            #expect(try arrives(from: there.number, to: here.number, a, tries: 5))
        }
    }

    /// One of the two, in its namespace: its address inside.
    private func end(
        _ namespace: borrowing Descriptor, _ own: String, _ other: String, _ inside: String
    ) throws -> IPAddress {
        let socket = try NetlinkSocket(in: namespace.number)
        let wire = try #require(try socket.link("wire")).index
        let outer = try #require(IPPrefix(own))
        try socket.send([
            .change("wire", LinkChange(isUp: true)),
            .add(InterfaceAddress(outer, link: wire, flags: [.withoutDuplicateDetection])),
        ])
        let remote = try #require(IPPrefix(other)).address
        let options = VxlanOptions(id: 4711, local: outer.address)
        let made = try socket.create(LinkSpec(LinkOptions("vx0", isUp: true), .vxlan(options)))
        #expect(made.kind == "vxlan" && made.vxlanID == 4711)
        let rest = ForwardingEntry(.zero, vxlan: made.index, destination: remote)
        try socket.send(.replace(rest))
        #expect(try socket.forwardingEntries().contains { $0.destination == remote && $0.mac == .zero })
        let prefix = try #require(IPPrefix(inside))
        try socket.send(.add(InterfaceAddress(prefix, link: made.index)))
        return prefix.address
    }

    @Test func manyHostsForTheRest() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let made = try socket.create(LinkSpec(LinkOptions("vx0"), .vxlan(VxlanOptions(id: 1))))
            let hosts = try (1...5).map { try #require(IPAddress("192.0.2.\($0)")) }
            try socket.send(
                hosts.map { .replace(ForwardingEntry(.zero, vxlan: made.index, destination: $0)) })
            let entries = try socket.forwardingEntries().filter { $0.link == made.index }
            #expect(Set(entries.compactMap(\.destination)) == Set(hosts))
            try socket.send(.delete(ForwardingEntry(.zero, vxlan: made.index, destination: hosts[2])))
            #expect(try socket.forwardingEntries().filter { $0.link == made.index }.count == 4)
        }
    }
}
