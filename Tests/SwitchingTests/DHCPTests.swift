import Addresses
import Testing

@testable import Switching

@Suite("Messages of DHCP")
struct DHCPTests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
    private func mac() throws -> MACAddress { try #require(MACAddress("02:00:00:00:00:01")) }

    /// A server's answer with these options.
    private func answer(_ options: [UInt8], yours: [UInt8] = [10, 1, 0, 5]) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 236)
        bytes.replaceSubrange(0..<8, with: [2, 1, 6, 0, 1, 2, 3, 4])
        bytes.replaceSubrange(16..<20, with: yours)
        bytes.replaceSubrange(28..<34, with: try mac().bytes)
        return bytes + [99, 130, 83, 99] + options
    }

    private func read(_ options: [UInt8], yours: [UInt8] = [10, 1, 0, 5]) throws -> DHCPMessage {
        let bytes = try answer(options, yours: yours)
        return try #require(DHCPMessage(bytes: bytes))
    }

    private func leased(_ options: [UInt8]) throws -> DynamicLease {
        let message = try read(options)
        return try #require(DynamicLease(message))
    }

    private let usual: [UInt8] = [53, 1, 5, 54, 4, 10, 1, 0, 1, 1, 4, 255, 255, 255, 0]

    @Test("an answer is read: address, router, times") func reading() throws {
        let times: [UInt8] = [51, 4, 0, 0, 14, 16, 58, 4, 0, 0, 7, 8, 59, 4, 0, 0, 12, 78]
        let bytes = try answer(usual + [3, 8, 10, 1, 0, 254, 10, 1, 0, 253, 0, 0] + times + [255, 1])
        let message = try #require(DHCPMessage(bytes: bytes))
        #expect(message.kind == .ack && message.transaction == 0x0102_0304)
        let (own, router) = (try mac(), try address("10.1.0.254"))
        #expect(message.mac == own && message.router == router)
        let lease = try #require(DynamicLease(message))
        #expect(lease.address.description == "10.1.0.5/24" && lease.seconds == 3600)
        #expect(lease.renewal == 1800 && lease.rebinding == 3150)
    }

    @Test("without times a half and seven eighths; for ever is for ever") func times() throws {
        let lease = try leased(usual + [51, 4, 0, 0, 0, 80, 255])
        #expect(lease.renewal == 40 && lease.rebinding == 70)
        let forever = try leased(usual + [51, 4, 255, 255, 255, 255, 255])
        #expect(forever.seconds == nil)
    }

    @Test("a router that is not a neighbour is none, a mask with holes and no address of a host are no lease")
    func nonsense() throws {
        let far = try read(usual + [3, 4, 10, 2, 0, 1, 255])
        #expect(DynamicLease(far)?.router == nil && DynamicLease(far) != nil)
        let holes: [UInt8] = [53, 1, 5, 54, 4, 10, 1, 0, 1, 1, 4, 255, 0, 255, 0, 255]
        let holed = try read(holes)
        #expect(DynamicLease(holed) == nil)
        for yours: [UInt8] in [[0, 0, 0, 0], [127, 0, 0, 1], [224, 0, 0, 1], [10, 1, 0, 0], [10, 1, 0, 255]] {
            let message = try read(usual + [255], yours: yours)
            #expect(DynamicLease(message) == nil, "\(yours)")
        }
    }

    @Test("what is cut short or no answer is nothing, whatever its bytes are") func broken() throws {
        let whole = try answer(usual + [51, 4, 0, 0, 14, 16, 255])
        for count in 0..<(whole.count - 1) {
            // Whole options may be missing at its end.
            let message = DHCPMessage(bytes: Array(whole[..<count]))
            if count < 243 { #expect(message == nil) }
        }
        var request = whole
        request[0] = 1
        #expect(DHCPMessage(bytes: request) == nil)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let options = (0..<60).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            if let message = DHCPMessage(bytes: try answer(usual + options)) { _ = DynamicLease(message) }
            _ = DHCPDatagram.payload(options[...])
            _ = AddressProbe.isConflict(options[...], .v4(1), try mac())
        }
    }

    @Test("a question is a datagram that is read as one, with a check sum that is right") func datagram() throws {
        var message = DHCPMessage(kind: .request, transaction: 7, mac: try mac())
        (message.hostname, message.requested) = ("web", try address("10.1.0.5"))
        let bytes = message.bytes
        #expect(
            bytes.count >= 300 && Array(bytes[4..<8]) == [0, 0, 0, 7] && Array(bytes[28..<34]) == message.mac.bytes)
        var packet = DHCPDatagram.broadcast(bytes)
        #expect(DHCPDatagram.checkSum(Array(packet[..<20])) == 0)
        #expect(DHCPDatagram.payload(packet[...]) == nil, "it is for a server")
        packet.replaceSubrange(22..<24, with: [0, 68])
        #expect(DHCPDatagram.payload(packet[...]) == bytes)
        #expect(DHCPDatagram.payload(packet[..<100]) == nil)
    }

    @Test("another's claim to an address is one, one's own question is none") func probe() throws {
        let (own, other) = (try mac(), try #require(MACAddress("02:00:00:00:00:02")))
        let wanted = try address("10.1.0.5")
        #expect(!AddressProbe.isConflict(AddressProbe.question(wanted, from: own)[...], wanted, own))
        #expect(AddressProbe.isConflict(AddressProbe.question(wanted, from: other)[...], wanted, own))
        var answer = AddressProbe.question(try address("10.1.0.9"), from: other)
        answer[7] = 2
        #expect(!AddressProbe.isConflict(answer[...], wanted, own))
        answer.replaceSubrange(14..<18, with: wanted.bytes)
        #expect(AddressProbe.isConflict(answer[...], wanted, own))
    }
}
