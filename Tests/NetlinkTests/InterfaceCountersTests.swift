import Glibc
import Testing

@testable import Netlink

@Suite("Counters of interfaces") struct InterfaceCountersTests {
    private let headings = """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls

        """

    @Test("each figure is found in its column") func columns() {
        let found = InterfaceCounters.parse(headings + "  eth0:   1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n")
        var wanted = InterfaceCounters(name: "eth0")
        (wanted.receivedBytes, wanted.receivedPackets, wanted.receivedErrors, wanted.receivedDropped) = (1, 2, 3, 4)
        (wanted.sentBytes, wanted.sentPackets, wanted.sentErrors, wanted.sentDropped) = (9, 10, 11, 12)
        #expect(found == [wanted])
    }

    @Test("great numbers touch the name, and a name may hold a colon") func names() {
        let line = ":18446744073709551615 0 0 0 0 0 0 0 7 0 0 0 0 0 0 0\n"
        let found = InterfaceCounters.parse(headings + "    lo\(line)eth0:1\(line)")
        #expect(found.map(\.name) == ["lo", "eth0:1"])
        #expect(found.map(\.receivedBytes) == [.max, .max] && found.map(\.sentBytes) == [7, 7])
    }

    @Test("what is no line of an interface is left out", arguments: ["", "  lo: 1 2 3\n", "no figures\n", ":\n"])
    func others(text: String) {
        #expect(InterfaceCounters.parse(headings + text).isEmpty)
        #expect(InterfaceCounters.parse(text).isEmpty)
    }

    @Test("this process has a loopback, one that has ended has nothing") func live() throws {
        #expect(try InterfaceCounters.all(of: getpid())?.contains { $0.name == "lo" } == true)
        // The greatest number that the kernel gives out is 2^22.
        #expect(try InterfaceCounters.all(of: 1 << 22 | 1) == nil)
    }
}
