import CNetlink
import Glibc
public import Kernel

/// A socket for nftables (nft(8), `nf_tables` over netlink(7)) in a network namespace. Tables and rules are nft's own
/// work; this changes what is in their sets.
public struct NetfilterSocket: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// In the network namespace behind a descriptor; the calling thread stays where it is.
    /// - Parameter home: see ``openSocket(in:from:_:_:_:)``.
    public init(in namespace: Int32, from home: Int32? = nil) throws(SystemError) {
        descriptor = try openSocket(in: namespace, from: home, AF_NETLINK, Int32(SOCK_RAW.rawValue), NETLINK_NETFILTER)
    }

    /// Carries out all of the changes, or none of them.
    public func commit(_ messages: [NetlinkMessage]) throws(SystemError) {
        if messages.isEmpty { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity((messages.count + 2) * 256)
        let last = UInt32(messages.count) + 1
        try write(NetfilterSocket.mark(NFNL_MSG_BATCH_BEGIN), 0, acknowledged: false, to: &bytes)
        for (index, message) in messages.enumerated() {
            try write(message, UInt32(index) + 1, acknowledged: index == messages.count - 1, to: &bytes)
        }
        try write(NetfilterSocket.mark(NFNL_MSG_BATCH_END), last, acknowledged: false, to: &bytes)
        try transmit(bytes, messages[0].action)
        try hear(answersTo: messages)
    }

    /// The kernel answers for those that fail, in order, and for the last one.
    private func hear(answersTo messages: [NetlinkMessage]) throws(SystemError) {
        var failure: SystemError?
        var isDone = false
        while !isDone {
            for reply in NetlinkReplies(in: try receive()) where reply.type == Int(NLMSG_ERROR) {
                let index = Int(reply.sequence) - 1
                let isOne = messages.indices.contains(index)
                if reply.code != 0, failure == nil {
                    failure = SystemError(messages[isOne ? index : 0].action, code: reply.code)
                }
                // What is about none of them is about all: the whole is refused.
                if !isOne || index == messages.count - 1 { isDone = true }
            }
        }
        if let failure { throw failure }
    }

    /// What is in a set.
    public func elements(of set: NetfilterSet) throws(SystemError) -> [NetfilterElement] {
        var elements: [NetfilterElement] = []
        try dump(.list(set)) { reply in
            reply.attributes(after: nfgenmsg.self)[Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)]?.nested.forEach {
                if let element = NetfilterElement($0.nested) { elements.append(element) }
            }
        }
        return elements
    }

    /// Asks for a list, and hands over its parts.
    func dump(_ message: NetlinkMessage, _ take: (NetlinkReply) -> Void) throws(SystemError) {
        var bytes: [UInt8] = []
        guard message.write(to: &bytes, sequence: 1, flags: NLM_F_REQUEST | NLM_F_DUMP) else {
            throw SystemError(message.action, code: EMSGSIZE)
        }
        try transmit(bytes, message.action)
        while true {
            for reply in NetlinkReplies(in: try receive(partOfList: true)) {
                if reply.type == Int(NLMSG_DONE) || reply.type == Int(NLMSG_ERROR) {
                    if reply.code != 0 { throw SystemError(message.action, code: reply.code) }
                    return
                }
                take(reply)
            }
        }
    }

    private static func mark(_ type: Int32) -> NetlinkMessage {
        let message = NetlinkMessage("change nftables", Int(type), capacity: 64)
        var header = nfgenmsg()
        header.res_id = UInt16(NFNL_SUBSYS_NFTABLES).bigEndian
        message.header(header)
        return message
    }

    private func write(
        _ message: NetlinkMessage, _ sequence: UInt32, acknowledged: Bool, to bytes: inout [UInt8]
    ) throws(SystemError) {
        let flags = NLM_F_REQUEST | (acknowledged ? NLM_F_ACK : 0)
        guard message.write(to: &bytes, sequence: sequence, flags: flags) else {
            throw SystemError(message.action, code: EMSGSIZE)
        }
    }

    private func transmit(_ bytes: [UInt8], _ action: @autoclosure () -> String) throws(SystemError) {
        let socket = descriptor.number
        try check(action()) { Int32(Glibc.send(socket, bytes, bytes.count, 0)) }
    }

    private func receive(partOfList isPart: Bool = false) throws(SystemError) -> [UInt8] {
        try receiveDatagram(descriptor.number, "hear from nftables", capacity: isPart ? listCapacity : nil)
    }
}
