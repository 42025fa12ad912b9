import Addresses
import Testing

@testable import Netlink

struct IPPrefixTests {
    @Test func parses() throws {
        let prefix = try #require(IPPrefix("10.1.0.5/24"))
        #expect(prefix.description == "10.1.0.5/24")
        #expect(prefix.network.description == "10.1.0.0/24")
        #expect(prefix.last.description == "10.1.0.255")
        #expect(prefix.mask.description == "255.255.255.0")
        #expect(!prefix.isNetwork && prefix.network.isNetwork)
        #expect(IPPrefix("10.1.0.5")?.length == 32)
        #expect(IPPrefix("fd00::/64")?.last.description == "fd00::ffff:ffff:ffff:ffff")
        #expect(IPPrefix("::/0")?.contains(.v6(.max)) == true)
        #expect(IPPrefix("0.0.0.0/0")?.mask.description == "0.0.0.0")
        #expect(IPPrefix("fd00::1/128")?.network.description == "fd00::1/128")
    }

    @Test func refuses() {
        for wrong in [
            "", "/", "/24", "10.1.0.5/", "10.1.0.5/33", "10.1.0.5/-1", "10.1.0.5/+1", "10.1.0.5/024", "10.1.0.5/24/8",
            "fd00::/129", "10.1/16", "10.1.0.5/2 4", "10.1.0.5/1000",
        ] {
            #expect(IPPrefix(wrong) == nil, "\(wrong)")
        }
    }

    @Test func contains() throws {
        let network = try #require(IPPrefix("10.1.0.0/22"))
        #expect(network.contains(try #require(IPAddress("10.1.3.255"))))
        #expect(!network.contains(try #require(IPAddress("10.1.4.0"))))
        #expect(!network.contains(try #require(IPAddress("::10.1.0.1"))))
        let inner = try #require(IPPrefix("10.1.2.0/24"))
        #expect(network.contains(inner) && !inner.contains(network))
        #expect(inner.overlaps(network) && network.overlaps(inner))
        #expect(!inner.overlaps(try #require(IPPrefix("10.1.3.0/24"))))
        #expect(!inner.overlaps(.all(.v6)))
    }

    @Test func countsHosts() throws {
        func check(_ text: String, _ count: UInt128, _ first: String, _ last: String) throws {
            let prefix = try #require(IPPrefix(text))
            #expect(prefix.hostCount == count, "\(text)")
            #expect(prefix.host(0) == IPAddress(first), "\(text)")
            #expect(prefix.host(count - 1) == IPAddress(last), "\(text)")
            #expect(prefix.host(count) == nil, "\(text)")
        }
        try check("10.1.0.7/24", 254, "10.1.0.1", "10.1.0.254")
        try check("10.1.0.0/30", 2, "10.1.0.1", "10.1.0.2")
        try check("10.1.0.0/31", 2, "10.1.0.0", "10.1.0.1")
        try check("10.1.0.9/32", 1, "10.1.0.9", "10.1.0.9")
        try check("0.0.0.0/0", 4_294_967_294, "0.0.0.1", "255.255.255.254")
        try check("fd00::/120", 255, "fd00::1", "fd00::ff")
        try check("fd00::/127", 2, "fd00::", "fd00::1")
        try check("::/0", .max, "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    }
}
