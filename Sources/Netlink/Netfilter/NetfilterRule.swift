import CNetlink
import Glibc

/// What a rule of nftables does with a packet, one step after the other (nft(8), `struct nft_expr` of the kernel).
public enum NetfilterExpression: Sendable, Equatable {
    /// Goes on only with packets that bear this mark.
    case hasMark(UInt32)
    case accept
}

extension NetlinkMessage {
    /// Makes a table; one that is there is no error, or EEXIST.
    public static func add(
        table: String, _ family: NetfilterSet.Family, isNew: Bool = false
    ) -> NetlinkMessage {
        let flags = NLM_F_CREATE | (isNew ? NLM_F_EXCL : 0)
        let message = netfilter("add the table \(table)", NFT_MSG_NEWTABLE, family, flags: flags)
        message.put(Int(NFTA_TABLE_NAME.rawValue), text: table)
        return message
    }

    /// Makes a chain that packets come by, and that lets none pass but those that a rule accepts.
    /// - Parameter hook: `NF_INET_LOCAL_IN`, 1, and its like.
    /// - Parameter priority: lower ones come first.
    public static func add(
        droppingChain name: String, table: String, _ family: NetfilterSet.Family, hook: UInt32, priority: Int32
    ) -> NetlinkMessage {
        let message = netfilter("add the chain \(name)", NFT_MSG_NEWCHAIN, family, flags: NLM_F_CREATE)
        message.put(Int(NFTA_CHAIN_TABLE.rawValue), text: table)
        message.put(Int(NFTA_CHAIN_NAME.rawValue), text: name)
        message.nest(Int(NFTA_CHAIN_HOOK.rawValue) | Int(NLA_F_NESTED)) {
            message.put(Int(NFTA_HOOK_HOOKNUM.rawValue), hook.bigEndian)
            message.put(Int(NFTA_HOOK_PRIORITY.rawValue), priority.bigEndian)
        }
        // NF_DROP
        message.put(Int(NFTA_CHAIN_POLICY.rawValue), UInt32(0))
        message.put(Int(NFTA_CHAIN_TYPE.rawValue), text: "filter")
        return message
    }

    /// Adds a rule at the end of a chain.
    public static func add(
        rule expressions: [NetfilterExpression], chain: String, table: String, _ family: NetfilterSet.Family
    ) -> NetlinkMessage {
        let flags = NLM_F_CREATE | NLM_F_APPEND
        let message = netfilter(
            "add a rule to the chain \(chain)", NFT_MSG_NEWRULE, family, flags: flags, capacity: 1024)
        message.put(Int(NFTA_RULE_TABLE.rawValue), text: table)
        message.put(Int(NFTA_RULE_CHAIN.rawValue), text: chain)
        message.nest(Int(NFTA_RULE_EXPRESSIONS.rawValue) | Int(NLA_F_NESTED)) {
            for expression in expressions { message.put(expression) }
        }
        return message
    }

    private func put(_ expression: NetfilterExpression) {
        switch expression {
        case .hasMark(let mark):
            step("meta") {
                put(Int(NFTA_META_KEY.rawValue), UInt32(NFT_META_MARK.rawValue).bigEndian)
                put(Int(NFTA_META_DREG.rawValue), UInt32(NFT_REG_1.rawValue).bigEndian)
            }
            step("cmp") {
                put(Int(NFTA_CMP_SREG.rawValue), UInt32(NFT_REG_1.rawValue).bigEndian)
                put(Int(NFTA_CMP_OP.rawValue), UInt32(NFT_CMP_EQ.rawValue).bigEndian)
                nest(Int(NFTA_CMP_DATA.rawValue) | Int(NLA_F_NESTED)) { put(Int(NFTA_DATA_VALUE.rawValue), mark) }
            }
        case .accept:
            step("immediate") {
                put(Int(NFTA_IMMEDIATE_DREG.rawValue), UInt32(NFT_REG_VERDICT.rawValue).bigEndian)
                nest(Int(NFTA_IMMEDIATE_DATA.rawValue) | Int(NLA_F_NESTED)) {
                    nest(Int(NFTA_DATA_VERDICT.rawValue) | Int(NLA_F_NESTED)) {
                        // NF_ACCEPT
                        put(Int(NFTA_VERDICT_CODE.rawValue), UInt32(1).bigEndian)
                    }
                }
            }
        }
    }

    private func step(_ name: String, _ body: () -> Void) {
        nest(Int(NFTA_LIST_ELEM.rawValue) | Int(NLA_F_NESTED)) {
            put(Int(NFTA_EXPR_NAME.rawValue), text: name)
            nest(Int(NFTA_EXPR_DATA.rawValue) | Int(NLA_F_NESTED), body)
        }
    }
}
