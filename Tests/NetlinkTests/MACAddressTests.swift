import Addresses
import Testing

@testable import Netlink

struct MACAddressTests {
    @Test func parsesAndPrints() {
        #expect(MACAddress("02:00:5E:10:00:0a")?.description == "02:00:5e:10:00:0a")
        #expect(MACAddress("02-00-5e-10-00-0a")?.number == 0x0200_5E10_000A)
        #expect(MACAddress("02:00:5e:10:00:0a")?.bytes == [2, 0, 0x5E, 0x10, 0, 0x0A])
        #expect(MACAddress(number: 1 << 48) == nil)
        for wrong in [
            "", "02:00:5e:10:00", "02:00:5e:10:00:0g", "02:00-5e:10:00:0a", "02005e10000a0a0a0", "02.00.5e.10.00.0a",
        ] {
            #expect(MACAddress(wrong) == nil, "\(wrong)")
        }
    }

    @Test func derivedIsAlwaysTheSame() {
        #expect(MACAddress(derivedFrom: "web/eth0") == MACAddress(derivedFrom: "web/eth0"))
        #expect(MACAddress(derivedFrom: "web/eth0").description == "2a:bd:a1:a5:43:36")
        var seen: Set<MACAddress> = []
        for number in 0..<5000 {
            let address = MACAddress(derivedFrom: "sandbox-\(number)/eth0")
            #expect(address.isLocal && !address.isMulticast)
            seen.insert(address)
        }
        #expect(seen.count == 5000)
    }

    @Test func randomIsOneStationsOwn() {
        let two = (MACAddress.random(), MACAddress.random())
        #expect(two.0 != two.1 && two.0.isLocal && !two.0.isMulticast)
        #expect(MACAddress.broadcast.isMulticast)
    }
}
