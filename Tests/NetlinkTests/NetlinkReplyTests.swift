import CNetlink
import Glibc
import Testing

@testable import Netlink

/// What the kernel sends is read without trust in its lengths.
struct NetlinkReplyTests {
    private func message(_ type: UInt16, flags: UInt16 = 0, sequence: UInt32 = 1, _ payload: [UInt8]) -> [UInt8] {
        var header = nlmsghdr()
        header.nlmsg_len = UInt32(16 + payload.count)
        header.nlmsg_type = type
        header.nlmsg_flags = flags
        header.nlmsg_seq = sequence
        return withUnsafeBytes(of: header) { Array($0) } + payload
    }

    private func attribute(_ type: UInt16, _ bytes: [UInt8]) -> [UInt8] {
        let length = UInt16(4 + bytes.count)
        let padding = [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
        return [UInt8(length & 255), UInt8(length >> 8), UInt8(type & 255), UInt8(type >> 8)] + bytes + padding
    }

    @Test func datagramOfSeveral() {
        let datagram = message(20, [1, 2, 3, 4]) + message(21, sequence: 2, [])
        let replies = Array(NetlinkReplies(in: datagram))
        #expect(replies.map(\.type) == [20, 21] && replies.map(\.sequence) == [1, 2])
        #expect(Array(replies[0].payload) == [1, 2, 3, 4])
    }

    @Test func cutAnywhere() {
        let whole = message(20, attribute(1, [1]) + attribute(2, [1, 2, 3, 4, 5]))
        for count in 0..<whole.count { #expect(Array(NetlinkReplies(in: Array(whole[..<count]))).isEmpty) }
        for length: UInt8 in [0, 4, 15, 255] {
            var lying = whole
            lying[0] = length
            #expect(Array(NetlinkReplies(in: lying)).isEmpty)
        }
        #expect(Array(NetlinkReplies(in: whole)).count == 1)
    }

    @Test func attributesThatLie() {
        let good = attribute(1, [7]) + attribute(2, [1, 2, 3, 4])
        #expect(NetlinkAttributes(good[...]).number(2, as: UInt32.self) == 0x0403_0201)
        #expect(NetlinkAttributes(good[...]).number(1, as: UInt32.self) == nil)
        #expect(NetlinkAttributes(good[...]).flag(1) == true)
        #expect(NetlinkAttributes(good[...])[3] == nil)
        for length: UInt8 in [0, 3, 200] {
            var lying = good
            lying[8] = length
            #expect(NetlinkAttributes(lying[...])[2] == nil)
            #expect(NetlinkAttributes(lying[...])[1] != nil)
        }
        // The bits that say nested and network order are no part of the type.
        #expect(NetlinkAttributes(attribute(0x8005, [])[...])[5] != nil)
    }

    @Test func failureWithTheKernelsWords() {
        let request = [UInt8](repeating: 0, count: 16)
        let code = withUnsafeBytes(of: -EOPNOTSUPP) { Array($0) }
        let words = attribute(1, Array("Unknown device type\0".utf8))
        let flags = UInt16(NLM_F_CAPPED | NLM_F_ACK_TLVS)
        let reply = Array(NetlinkReplies(in: message(2, flags: flags, code + request + words)))[0]
        #expect(reply.code == EOPNOTSUPP && reply.explanation == "Unknown device type")
        let silent = Array(NetlinkReplies(in: message(2, code + request)))[0]
        #expect(silent.code == EOPNOTSUPP && silent.explanation == nil)
        #expect(Array(NetlinkReplies(in: message(2, [])))[0].code == EBADMSG)
        let lowest = withUnsafeBytes(of: Int32.min) { Array($0) }
        #expect(Array(NetlinkReplies(in: message(2, lowest)))[0].code == 4095)
    }
}
