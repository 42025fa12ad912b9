import Glibc
import Kernel
import Netlink
import Testing

@testable import Switching

@Suite("Changes of nftables' sets", .enabled(if: isRoot, "needs root"))
struct NetfilterSocketTests {
    private func set(_ name: String) -> NetfilterSet { NetfilterSet(.bridge, "t", name) }

    private func element(_ number: UInt32) -> NetfilterElement {
        NetfilterElement(NetfilterKey().adding(native: number))
    }

    private func made() throws -> Descriptor {
        let place = try newNetwork()
        try Program("nft", package: "nftables").run(
            ["-f", "-"], input: "table bridge t { set a { typeof iif; }; set b { typeof iif; }; }", in: place.number)
        return place
    }

    @Test("many are all done, though the kernel is asked about the last alone")
    func all() throws {
        let place = try made()
        let socket = try NetfilterSocket(in: place.number)
        try socket.commit([.add(element(1), to: set("a")), .add([element(2), element(3)], to: set("b"))])
        #expect(try socket.elements(of: set("a")) == [element(1)])
        #expect(Set(try socket.elements(of: set("b"))) == [element(2), element(3)])
        // The socket has nothing left over from before.
        try socket.commit([.delete([element(1)], from: set("a"))])
        #expect(try socket.elements(of: set("a")) == [])
    }

    @Test("of those that fail the first is named, and none is done", arguments: [0, 1, 2])
    func none(failing place: Int) throws {
        let network = try made()
        let socket = try NetfilterSocket(in: network.number)
        var messages: [NetlinkMessage] = [.add(element(1), to: set("a")), .add(element(2), to: set("b"))]
        messages.insert(.add(element(3), to: set("missing")), at: place)
        messages.append(.delete([element(9)], from: set("b")))
        let error = #expect(throws: SystemError.self) { try socket.commit(messages) }
        #expect(error?.code == ENOENT)
        #expect(error?.action == "add to the set missing")
        #expect(try socket.elements(of: set("a")) == [])
        #expect(try socket.elements(of: set("b")) == [])
    }
}
