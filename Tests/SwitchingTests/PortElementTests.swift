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
            elements.filtering(try texts.map { try #require(TrafficRule($0)) }).count
        }
        // The first message makes the port a filtered one.
        #expect(try count([]) == 1)
        #expect(try count(["any"]) == 3)
        #expect(try count(["tcp to 10.1.0.0/16:443"]) == 2)
        #expect(try count(["tcp to [fd00::/8]:443", "udp to fd00::1"]) == 2)
        #expect(try count(["tcp to any:80", "tcp from any:81"]) == 5)
        #expect(try count(["tcp to example.org:443"]) == 1)
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
