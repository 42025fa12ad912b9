import Addresses
import Testing

@testable import Switching

@Suite("Messages of DHCP for IPv6")
struct DHCPv6Tests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
    private func mac() throws -> MACAddress { try #require(MACAddress("02:00:00:00:00:01")) }
    private func client() throws -> [UInt8] { DHCPv6Message.identifier(try mac()) }

    private func option(_ code: UInt8, _ value: [UInt8]) -> [UInt8] { [0, code, 0, UInt8(value.count)] + value }

    private func given(_ text: String, preferred: UInt8 = 60, valid: UInt8 = 80) throws -> [UInt8] {
        option(5, try address(text).bytes + [0, 0, 0, preferred, 0, 0, 0, valid])
    }

    /// A server's answer with one association, which holds these options.
    private func answer(
        _ kind: UInt8 = 7, times: (UInt8, UInt8) = (0, 0), in association: [UInt8], more: [UInt8] = []
    ) throws -> [UInt8] {
        [kind, 1, 2, 3] + option(1, try client()) + option(2, [9, 9])
            + option(3, [0, 0, 0, 1, 0, 0, 0, times.0, 0, 0, 0, times.1] + association) + more
    }

    private func lease(
        times: (UInt8, UInt8) = (0, 0), in association: [UInt8], more: [UInt8] = []
    ) throws -> DynamicLease6? {
        let bytes = try answer(times: times, in: association, more: more)
        return DynamicLease6(try #require(DHCPv6Message(bytes: bytes)))
    }

    @Test("an answer is read: address, times, name servers") func reading() throws {
        let servers = option(23, try address("fd00::53").bytes + address("ff02::1").bytes)
        let lease = try #require(try lease(times: (10, 20), in: try given("fd00::5"), more: servers))
        #expect(lease.address.description == "fd00::5/128" && lease.server == [9, 9])
        #expect(lease.renewal == 10 && lease.rebinding == 20 && lease.seconds == 80 && lease.preferred == 60)
        let expected = [try address("fd00::53")]
        #expect(lease.nameServers == expected)
    }

    @Test("where the server leaves the times to the client: half and four fifths of the preferred one")
    func times() throws {
        let lease = try #require(try lease(in: try given("fd00::5")))
        #expect(lease.renewal == 30 && lease.rebinding == 48)
        // Such an answer is not to be used.
        let bad = try self.lease(times: (20, 10), in: try given("fd00::5"))
        #expect(bad == nil)
    }

    @Test("no address, one that is no host's, and one that has run out are no lease") func nonsense() throws {
        for text in ["::", "::1", "fe80::1", "ff02::1"] {
            let found = try lease(in: try given(text))
            #expect(found == nil, "\(text)")
        }
        for none in [[], try given("fd00::5", preferred: 0, valid: 0), try given("fd00::5", preferred: 90)] {
            let found = try lease(in: none)
            #expect(found == nil)
        }
        let second = try #require(try lease(in: try given("fd00::5", valid: 0) + given("fd00::6")))
        #expect(second.address.description == "fd00::6/128")
    }

    @Test("a refusal is told in the server's words, and nothing else that it sends") func refusal() throws {
        let status = option(13, [0, 2] + Array("full\u{1B}[2J".utf8))
        let bytes = try answer(2, in: status)
        let message = try #require(DHCPv6Message(bytes: bytes))
        #expect(message.association?.status?.description == "NoAddrsAvail: full?[2J")
        #expect(DynamicLease6(message) == nil)
        let success = try lease(in: option(13, [0, 0]) + given("fd00::5"))
        #expect(success != nil)
    }

    @Test("what is cut off, or no answer, is none") func cut() throws {
        let whole = try answer(in: try given("fd00::5"))
        for count in 0..<whole.count where count != whole.count {
            let message = DHCPv6Message(bytes: Array(whole[..<count]))
            #expect(message.flatMap { DynamicLease6($0) } == nil, "\(count)")
        }
        var request = whole
        request[0] = 3
        #expect(DHCPv6Message(bytes: request) == nil)
        for seed in 0..<2000 as Range<UInt64> {
            var noise = whole
            noise[4 + Int(seed) % (whole.count - 4)] = UInt8(truncatingIfNeeded: seed &* 2_654_435_761 >> 8)
            if let message = DHCPv6Message(bytes: noise) { _ = DynamicLease6(message) }
            _ = NeighbourProbe.Router(noise[...])
        }
    }

    @Test("a question has what servers need") func question() throws {
        let own = try client()
        var message = DHCPv6Message(kind: .request, transaction: 0x01_0203, client: own)
        message.server = [9, 9]
        message.hostname = "web"
        message.association = .init(id: 7, addresses: [.init(address: try address("fd00::5"))])
        let bytes = message.bytes
        #expect(Array(bytes.prefix(4)) == [3, 1, 2, 3])
        func contains(_ part: [UInt8]) -> Bool {
            bytes.indices.contains { bytes[$0...].starts(with: part) }
        }
        #expect(contains([0, 1, 0, 10, 0, 3, 0, 1]) && contains([0, 2, 0, 2, 9, 9]))
        #expect(contains([0, 39, 0, 5, 0, 3] + Array("web".utf8)) && contains([0, 6, 0, 2, 0, 23]))
        let asked = try address("fd00::5").bytes
        #expect(contains([0, 3, 0, 40, 0, 0, 0, 7]) && contains([0, 5, 0, 24] + asked))
    }

    @Test("neighbours are asked as they expect it, and understood") func neighbours() throws {
        let mine = try address("fd00::1:2345")
        let packet = NeighbourProbe.question(mine)
        #expect(NeighbourProbe.station(mine) == [0x33, 0x33, 0xFF, 0x01, 0x23, 0x45])
        let pseudo = Array(packet[8..<40]) + [0, 0, 0, 24, 0, 0, 0, 58]
        #expect(DHCPDatagram.checkSum(pseudo + packet[40...]) == 0)
        // Another who asks for it at the same moment.
        #expect(NeighbourProbe.isConflict(packet[...], mine))
        let other = try address("fd00::1:2346")
        #expect(!NeighbourProbe.isConflict(packet[...], other))
        var answer = packet
        answer[40] = 136
        answer.replaceSubrange(8..<24, with: mine.bytes)
        #expect(NeighbourProbe.isConflict(answer[...], mine))
        answer[7] = 64
        #expect(!NeighbourProbe.isConflict(answer[...], mine))
        let local = IPAddress.linkLocal(try mac())
        let expected = try address("fe80::ff:fe00:1")
        #expect(local == expected)
    }

    @Test("a router's word is understood") func router() throws {
        let header: [UInt8] =
            [0x60, 0, 0, 0, 0, 16, 58, 255] + (try address("fe80::1").bytes) + (try address("ff02::1").bytes)
        let advertisement: [UInt8] = [134, 0, 0, 0, 64, 0x80, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]
        let router = try #require(NeighbourProbe.Router((header + advertisement)[...]))
        #expect(router.isManaged && router.lifetime == 1800)
        #expect(NeighbourProbe.Router((header + advertisement.dropLast())[...]) == nil)
        var far = header
        far[7] = 254
        #expect(NeighbourProbe.Router((far + advertisement)[...]) == nil)
    }
}
