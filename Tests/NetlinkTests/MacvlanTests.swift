import Addresses
import Glibc
import Kernel
import Testing

@testable import Netlink

/// A parent for macvlans is one end of a veth, whose other end is the wire.
@Suite(.enabled(if: isRoot, needsRoot))
struct MacvlanTests {
    private func parent(_ socket: borrowing NetlinkSocket) throws -> Int32 {
        let peer = LinkOptions("wire")
        let made = try socket.create(LinkSpec(LinkOptions("up0", isUp: true), .veth(peer: peer)))
        try socket.send(.change("wire", LinkChange(isUp: true)))
        return made.index
    }

    private func station(
        _ prefix: String, _ socket: borrowing NetlinkSocket, _ parent: Int32, _ options: MacvlanOptions,
        mac: MACAddress? = nil
    ) throws -> Station {
        try Station.make(prefix) { namespace in
            let link = LinkOptions("eth0", address: mac, namespace: namespace)
            try socket.send(.create(LinkSpec(link, .macvlan(parent: parent, options))))
        }
    }

    @Test(arguments: [(MacvlanOptions.Mode.bridge, true), (.private, false), (.vepa, false)])
    func neighboursReachOneAnother(mode: MacvlanOptions.Mode, expected: Bool) throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let parent = try parent(socket)
            let a = try station("10.1.0.2/24", socket, parent, MacvlanOptions(mode))
            let b = try station("10.1.0.3/24", socket, parent, MacvlanOptions(mode))
            #expect(try a.reaches(b, tries: expected ? 40 : 2) == expected)
            let link = try #require(try a.socket.link("eth0"))
            #expect(link.kind == "macvlan" && link.macvlanMode == mode && link.other == parent)
        }
    }

    @Test func passthruIsAlone() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let parent = try parent(socket)
            let a = try station("10.1.0.2/24", socket, parent, MacvlanOptions(.passthru))
            let mine = try #require(try a.socket.link("eth0"))
            #expect(mine.address == (try socket.link("up0")?.address))
            let second = #expect(throws: SystemError.self) {
                try socket.send(.create(LinkSpec(LinkOptions("second"), .macvlan(parent: parent))))
            }
            #expect(second?.code == EINVAL)
        }
    }

    @Test func sourceHearsOnlyTheListed() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let parent = try parent(socket)
            let (known, own) = (MACAddress(derivedFrom: "known"), MACAddress(derivedFrom: "own"))
            let sources = (0..<200).map { MACAddress(derivedFrom: "source \($0)") } + [known]
            let a = try station("10.1.0.2/24", socket, parent, MacvlanOptions(.source, sources: sources), mac: own)
            let heard = try #require(try a.socket.link("eth0")).macvlanSources
            #expect(Set(heard) == Set(sources))
            // From the wire, as somebody listed and as somebody not.
            let b = try Station.make("10.1.0.3/24") { namespace in
                let wire = try #require(try socket.link("wire")).index
                try socket.send(.change("wire", LinkChange(address: known)))
                try socket.send(.rename(wire, to: "eth0", namespace: namespace))
            }
            let back = try #require(try a.socket.link("eth0")).index
            try a.socket.send(.replace(Neighbour(b.address, known, link: back)))
            let there = try #require(try b.socket.link("eth0")).index
            try b.socket.send(.replace(Neighbour(a.address, own, link: there)))
            #expect(try b.reaches(a))
            try b.socket.send(.change("eth0", LinkChange(address: MACAddress(derivedFrom: "unknown"))))
            #expect(try !b.reaches(a, tries: 2))
        }
    }

    /// More than fits a part of a list.
    @Test func anAnswerIsReadWhole() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let parent = try parent(socket)
            let sources = (0..<4000).map { MACAddress(derivedFrom: "source \($0)") }
            let options = MacvlanOptions(.source, sources: sources)
            try socket.send(.create(LinkSpec(LinkOptions("many"), .macvlan(parent: parent, options))))
            #expect(Set(try #require(try socket.link("many")).macvlanSources) == Set(sources))
        }
    }

    @Test func macvtapHasItsKind() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let parent = try parent(socket)
            let made = try socket.create(LinkSpec(LinkOptions("tap0"), .macvtap(parent: parent)))
            #expect(made.kind == "macvtap" && made.macvlanMode == .bridge && made.other == parent)
        }
    }

    @Test func modesHaveNames() {
        for mode in MacvlanOptions.Mode.allCases { #expect(MacvlanOptions.Mode(mode.name) == mode) }
        #expect(MacvlanOptions.Mode("Bridge") == nil)
    }
}
