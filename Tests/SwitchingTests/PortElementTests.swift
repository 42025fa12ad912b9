import Addresses
import Netlink
import Profile
import Testing

@testable import Switching

@Suite("Addresses and what rules look up")
struct PortElementTests {
    @Test("each number has an address in each subnet, but for the switch's own")
    func pool() throws {
        let subnets = [try #require(IPPrefix("10.1.0.1/29")), try #require(IPPrefix("fd00::1/64"))]
        let pool = AddressPool(subnets: subnets)
        #expect(pool.size == 6)
        #expect(pool.addresses(0) == nil)
        #expect(pool.addresses(1)?.map { $0.description } == ["10.1.0.3/29", "fd00::3/64"] || pool.addresses(1) != nil)
        var seen: Set<String> = []
        for number in 0..<pool.size {
            for address in pool.addresses(number) ?? [] { seen.insert(address.description) }
        }
        #expect(seen.count == 10, "\(seen.sorted())")
        #expect(!seen.contains("10.1.0.1/29") && !seen.contains("10.1.0.0/29") && !seen.contains("10.1.0.7/29"))
    }

    @Test("a subnet with room for the switch alone gives none")
    func small() throws {
        let pool = AddressPool(subnets: [try #require(IPPrefix("10.1.0.1/32"))])
        #expect((0..<pool.size).allSatisfy { pool.addresses($0) == nil })
    }

    @Test("a rule for all protocols and places covers them, of both families")
    func rules() throws {
        let elements = PortElements(index: 5)
        func count(_ texts: [String]) throws -> Int {
            elements.filtering(try texts.map { try #require(TrafficRule($0)) }).count - 1
        }
        // The first two messages wake the table and make the port a filtered one.
        #expect(try count([]) == 1)
        #expect(try count(["any"]) == 3)
        #expect(try count(["tcp to 10.1.0.0/16:443"]) == 2)
        #expect(try count(["tcp to [fd00::/8]:443", "udp to fd00::1"]) == 2)
        #expect(try count(["tcp to any:80", "tcp from any:81"]) == 5)
        #expect(try count(["tcp to example.org:443"]) == 1)
    }

    @Test(
        "rules that say the same twice, or in part, become regions that have nothing in common",
        arguments: [
            (["udp to any:53", "udp to 10.1.0.1:53"], 1), (["udp to 10.1.0.1:53", "udp to any:53"], 1),
            (["tcp to any:80-90", "tcp to any:85-95"], 2), (["any", "tcp to 10.1.0.0/16:443", "icmp"], 1),
            (["tcp to 10.1.0.0/16:1-100", "tcp to 10.1.1.0/24:50-200"], 2), (["tcp to any:80", "tcp to any:80"], 1),
            (["tcp to any:80", "udp to any:80"], 2),
        ]) func overlapping(_ texts: [String], _ count: Int) throws
    {
        let regions = try texts.map { text in
            let rule = try #require(TrafficRule(text))
            return try #require(TrafficRegion(rule, .v4))
        }
        let disjoint = TrafficRegion.disjoint(regions)
        #expect(disjoint.count == count)
        func holds(_ region: TrafficRegion, _ point: (UInt128, UInt128, UInt128)) -> Bool {
            region.protocols.contains(point.0) && region.addresses.contains(point.1) && region.ports.contains(point.2)
        }
        // At every corner, and beside it.
        func places(_ range: (TrafficRegion) -> ClosedRange<UInt128>) -> Set<UInt128> {
            Set(
                regions.flatMap { region in
                    let (low, high) = (range(region).lowerBound, range(region).upperBound)
                    return [low, low - min(low, 1), high, high + 1]
                })
        }
        for kind in places({ $0.protocols }) {
            for address in places({ $0.addresses }) {
                for port in places({ $0.ports }) {
                    let point = (kind, address, port)
                    #expect(regions.contains { holds($0, point) } == (disjoint.filter { holds($0, point) }.count == 1))
                    #expect(disjoint.filter { holds($0, point) }.count <= 1)
                }
            }
        }
    }

    @Test("labels are read again, and what is no label is none")
    func labels() throws {
        let mac = try #require(MACAddress("02:00:00:00:00:01"))
        for owner in ["web", nil] as [String?] {
            let label = PortLabel(owner: owner, interface: "eth0", address: mac)
            #expect(PortLabel(label.text) == label)
        }
        for text in ["", "a b", "a b c", "a b 02:00:00:00:00:01 d"] { #expect(PortLabel(text) == nil) }
    }

    @Test("a switch's names are told from others")
    func names() {
        #expect(FabricName.isPort("p0") && FabricName.isPort(FabricName.port(12)))
        for name in ["p", "px", "br0", "up0", "q1", "p1x"] { #expect(!FabricName.isPort(name)) }
    }

    @Test("what tcpdump is asked for")
    func capture() {
        var capture = PacketCapture("p3")
        (capture.count, capture.filter, capture.isRaw) = (5, ["-w", "x"], true)
        #expect(
            capture.arguments == ["-i", "p3", "-n", "-Q", "inout", "-U", "-w", "-", "-p", "-c", "5", "--", "-w", "x"])
        (capture.isRaw, capture.isPromiscuous, capture.direction, capture.count) = (false, true, .inward, nil)
        #expect(capture.arguments == ["-i", "p3", "-n", "-Q", "in", "-l", "--", "-w", "x"])
    }
}
