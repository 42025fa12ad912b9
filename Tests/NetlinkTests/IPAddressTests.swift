import Addresses
import Testing

@testable import Netlink

struct IPAddressTests {
    @Test func prints() {
        // RFC 5952, sections 4 and 5.
        let forms = [
            "10.1.0.5": "10.1.0.5", "2001:0db8::0001": "2001:db8::1", "2001:DB8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
            "2001:db8:0:1:1:1:1:1": "2001:db8:0:1:1:1:1:1", "::": "::", "::ffff:10.1.0.5": "::ffff:10.1.0.5",
            "0:0:0:0:0:0:0:1": "::1",
        ]
        for (text, printed) in forms { #expect(IPAddress(text)?.description == printed, "\(text)") }
    }

    @Test func printsEveryByte() {
        for byte in 0...255 {
            let text = "\(byte).\(255 - byte).0.\(byte)"
            #expect(IPAddress(text)?.description == text)
        }
    }

    @Test func refuses() {
        for wrong in [
            "", " ", "10.1.0", "10.1.0.256", "10.1.0.5 ", "010.1.0.5", "10.1.0.5/24", "fe80::1%eth0", ":::", "1::2::3",
            "12345::", "10.1.0.5\0", "localhost",
        ] {
            #expect(IPAddress(wrong) == nil, "\(wrong)")
        }
    }

    @Test func bytesAreInNetworkOrder() throws {
        let v4 = try #require(IPAddress("10.1.0.5"))
        #expect(v4 == .v4(0x0A01_0005))
        #expect(v4.bytes == [10, 1, 0, 5])
        let v6 = try #require(IPAddress("fd00::5"))
        #expect(v6.bytes == [0xFD] + [UInt8](repeating: 0, count: 14) + [5])
        #expect(IPAddress(bytes: v6.bytes[...]) == v6)
        #expect(IPAddress(bytes: v4.bytes[...]) == v4)
        #expect(IPAddress(bytes: [1, 2, 3]) == nil)
    }

    @Test func advances() throws {
        #expect(IPAddress("10.1.0.255")?.advanced(by: 1) == IPAddress("10.1.1.0"))
        #expect(IPAddress("255.255.255.255")?.advanced(by: 1) == nil)
        #expect(IPAddress("fd00::ffff")?.advanced(by: 1) == IPAddress("fd00::1:0"))
        #expect(IPAddress.v6(.max).advanced(by: 1) == nil)
    }

    @Test func sortsIPv4First() {
        let sorted = ["fd00::1", "10.0.0.2", "9.0.0.1", "::1"].compactMap { IPAddress($0) }.sorted()
        #expect(sorted.map(\.description) == ["9.0.0.1", "10.0.0.2", "::1", "fd00::1"])
    }

    @Test func knowsItsKind() {
        #expect(IPAddress("239.1.2.3")?.isMulticast == true)
        #expect(IPAddress("ff02::1")?.isMulticast == true)
        #expect(IPAddress("127.8.0.1")?.isLoopback == true)
        #expect(IPAddress("::1")?.isLoopback == true)
        #expect(IPAddress("169.254.1.1")?.isLinkLocal == true)
        #expect(IPAddress("febf::1")?.isLinkLocal == true)
        #expect(IPAddress("fec0::1")?.isLinkLocal == false)
        #expect(IPAddress("0.0.0.0")?.isUnspecified == true)
    }
}
