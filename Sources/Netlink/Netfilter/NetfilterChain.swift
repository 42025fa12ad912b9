import CNetlink
import Glibc
public import Kernel

/// A chain of nftables that packets come by of their own accord (nft(8), base chain).
public struct NetfilterChain: Sendable, Equatable {
    /// As nft(8) has it: `ip`, `ip6` or `inet`.
    public var family: String
    public var table: String
    public var name: String
    /// `NF_INET_FORWARD`, 2, and its like.
    public var hook: UInt32
    /// Whether what no rule speaks of is dropped.
    public var drops: Bool

    init?(_ reply: NetlinkReply) {
        guard let header = reply.header(nfgenmsg.self),
            let family = [1: "inet", 2: "ip", 10: "ip6"][Int(header.nfgen_family)]
        else { return nil }
        let attributes = reply.attributes(after: nfgenmsg.self)
        func number(_ attribute: NetlinkAttribute?) -> UInt32? { attribute?.value(UInt32.self)?.bigEndian }
        guard let table = attributes[Int(NFTA_CHAIN_TABLE.rawValue)]?.text,
            let name = attributes[Int(NFTA_CHAIN_NAME.rawValue)]?.text,
            let hook = number(attributes[Int(NFTA_CHAIN_HOOK.rawValue)]?.nested[Int(NFTA_HOOK_HOOKNUM.rawValue)])
        else { return nil }
        (self.family, self.table, self.name, self.hook) = (family, table, name, hook)
        drops = number(attributes[Int(NFTA_CHAIN_POLICY.rawValue)]) == 0
    }
}

extension NetfilterSocket {
    /// The base chains of IPv4 and IPv6, in the kernel's order.
    public func chains() throws(SystemError) -> [NetfilterChain] {
        let number = Int(NFNL_SUBSYS_NFTABLES) << 8 | Int(NFT_MSG_GETCHAIN.rawValue)
        let message = NetlinkMessage("list the chains of nftables", number, capacity: 256)
        message.header(nfgenmsg())
        var chains: [NetfilterChain] = []
        try dump(message) { reply in if let chain = NetfilterChain(reply) { chains.append(chain) } }
        return chains
    }
}
