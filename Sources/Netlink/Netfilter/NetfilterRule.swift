import CNetlink
import Glibc

/// What a rule of nftables does with a packet, one step after the other (nft(8), `struct nft_expr` of the kernel). A
/// comparison that does not hold ends it, and the next rule's turn has come.
public enum NetfilterExpression: Sendable, Equatable {
    /// Goes on only with packets that bear this mark.
    case hasMark(UInt32)
    /// What is known of the packet, beside up to sixteen bytes.
    case known(Fact, Comparison, [UInt8])
    /// Bytes of the packet, beside up to sixteen others.
    case bytes(Layer, at: Int, Comparison, [UInt8])
    /// The bits of the packet's bytes that a mask leaves, as long as `value` is.
    case bits(Layer, at: Int, mask: [UInt8], value: [UInt8])
    case accept
    case drop
    /// Counts by a counter of the table's.
    case count(String)

    public enum Fact: Sendable, Equatable {
        /// The Ethernet type, as the sender of the frame told the kernel: two bytes. The frame itself can say otherwise.
        case `protocol`
        /// The transport's number (protocols(5)), behind all headers of IPv6.
        case transport

        fileprivate var key: UInt32 {
            switch self {
            case .protocol: NFT_META_PROTOCOL.rawValue
            case .transport: NFT_META_L4PROTO.rawValue
            }
        }
    }

    /// Where counting of bytes begins.
    public enum Layer: Sendable, Equatable {
        case frame, network, transport

        fileprivate var base: UInt32 {
            switch self {
            case .frame: NFT_PAYLOAD_LL_HEADER.rawValue
            case .network: NFT_PAYLOAD_NETWORK_HEADER.rawValue
            case .transport: NFT_PAYLOAD_TRANSPORT_HEADER.rawValue
            }
        }
    }

    /// Of bytes, the first one weighing most.
    public enum Comparison: Sendable, Equatable {
        case equal, unequal, atMost, atLeast

        fileprivate var operation: UInt32 {
            switch self {
            case .equal: NFT_CMP_EQ.rawValue
            case .unequal: NFT_CMP_NEQ.rawValue
            case .atMost: NFT_CMP_LTE.rawValue
            case .atLeast: NFT_CMP_GTE.rawValue
            }
        }
    }
}

/// Where packets come by a chain of their own accord.
public enum NetfilterHook: Sendable, Equatable {
    /// `NF_INET_LOCAL_IN`, 1, and its like.
    case number(UInt32)
    /// What an interface is about to send (family netdev): all but the frames of AF_XDP.
    case egress(of: String)
    /// What an interface has received (family netdev).
    case ingress(of: String)

    /// `NF_NETDEV_INGRESS` is 0, `NF_NETDEV_EGRESS` 1.
    fileprivate var number: UInt32 {
        switch self {
        case .number(let number): number
        case .egress: 1
        case .ingress: 0
        }
    }

    fileprivate var device: String? {
        switch self {
        case .number: nil
        case .egress(let device), .ingress(let device): device
        }
    }
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
    /// - Parameter priority: lower ones come first.
    public static func add(
        droppingChain name: String, table: String, _ family: NetfilterSet.Family, hook: NetfilterHook, priority: Int32
    ) -> NetlinkMessage {
        let message = netfilter("add the chain \(name)", NFT_MSG_NEWCHAIN, family, flags: NLM_F_CREATE)
        message.put(Int(NFTA_CHAIN_TABLE.rawValue), text: table)
        message.put(Int(NFTA_CHAIN_NAME.rawValue), text: name)
        message.nest(Int(NFTA_CHAIN_HOOK.rawValue) | Int(NLA_F_NESTED)) {
            message.put(Int(NFTA_HOOK_HOOKNUM.rawValue), hook.number.bigEndian)
            message.put(Int(NFTA_HOOK_PRIORITY.rawValue), priority.bigEndian)
            if let device = hook.device { message.put(Int(NFTA_HOOK_DEV.rawValue), text: device) }
        }
        // NF_DROP
        message.put(Int(NFTA_CHAIN_POLICY.rawValue), UInt32(0))
        message.put(Int(NFTA_CHAIN_TYPE.rawValue), text: "filter")
        return message
    }

    /// Makes a counter that rules of its table count by.
    public static func add(
        counter name: String, table: String, _ family: NetfilterSet.Family
    ) -> NetlinkMessage {
        let message = netfilter("add the counter \(name)", NFT_MSG_NEWOBJ, family, flags: NLM_F_CREATE)
        message.put(Int(NFTA_OBJ_TABLE.rawValue), text: table)
        message.put(Int(NFTA_OBJ_NAME.rawValue), text: name)
        message.put(Int(NFTA_OBJ_TYPE.rawValue), UInt32(NFT_OBJECT_COUNTER).bigEndian)
        message.nest(Int(NFTA_OBJ_DATA.rawValue) | Int(NLA_F_NESTED)) {}
        return message
    }

    /// Adds a rule at the end of a chain.
    public static func add(
        rule expressions: [NetfilterExpression], chain: String, table: String, _ family: NetfilterSet.Family
    ) -> NetlinkMessage {
        let flags = NLM_F_CREATE | NLM_F_APPEND
        let message = netfilter(
            "add a rule to the chain \(chain)", NFT_MSG_NEWRULE, family, flags: flags,
            capacity: 512 + expressions.count * 256)
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
            know(NFT_META_MARK.rawValue)
            compare(.equal, withUnsafeBytes(of: mark) { Array($0) })
        case .known(let fact, let comparison, let value):
            know(fact.key)
            compare(comparison, value)
        case .bytes(let layer, let offset, let comparison, let value):
            load(layer, offset, value.count)
            compare(comparison, value)
        case .bits(let layer, let offset, let mask, let value):
            load(layer, offset, value.count)
            keep(mask)
            compare(.equal, value)
        case .accept: decide(1)
        case .drop: decide(0)
        case .count(let counter):
            step("objref") {
                put(Int(NFTA_OBJREF_IMM_TYPE.rawValue), UInt32(NFT_OBJECT_COUNTER).bigEndian)
                put(Int(NFTA_OBJREF_IMM_NAME.rawValue), text: counter)
            }
        }
    }

    // All by way of the first register, which has sixteen bytes.
    private static var register: UInt32 { UInt32(NFT_REG_1.rawValue).bigEndian }

    private func know(_ key: UInt32) {
        step("meta") {
            put(Int(NFTA_META_KEY.rawValue), key.bigEndian)
            put(Int(NFTA_META_DREG.rawValue), NetlinkMessage.register)
        }
    }

    private func load(_ layer: NetfilterExpression.Layer, _ offset: Int, _ length: Int) {
        step("payload") {
            put(Int(NFTA_PAYLOAD_DREG.rawValue), NetlinkMessage.register)
            put(Int(NFTA_PAYLOAD_BASE.rawValue), layer.base.bigEndian)
            put(Int(NFTA_PAYLOAD_OFFSET.rawValue), UInt32(offset).bigEndian)
            put(Int(NFTA_PAYLOAD_LEN.rawValue), UInt32(length).bigEndian)
        }
    }

    private func keep(_ mask: [UInt8]) {
        step("bitwise") {
            put(Int(NFTA_BITWISE_SREG.rawValue), NetlinkMessage.register)
            put(Int(NFTA_BITWISE_DREG.rawValue), NetlinkMessage.register)
            put(Int(NFTA_BITWISE_LEN.rawValue), UInt32(mask.count).bigEndian)
            data(NFTA_BITWISE_MASK.rawValue, mask)
            data(NFTA_BITWISE_XOR.rawValue, [UInt8](repeating: 0, count: mask.count))
        }
    }

    private func compare(_ comparison: NetfilterExpression.Comparison, _ value: [UInt8]) {
        step("cmp") {
            put(Int(NFTA_CMP_SREG.rawValue), NetlinkMessage.register)
            put(Int(NFTA_CMP_OP.rawValue), comparison.operation.bigEndian)
            data(NFTA_CMP_DATA.rawValue, value)
        }
    }

    /// - Parameter verdict: NF_DROP, 0, or NF_ACCEPT, 1.
    private func decide(_ verdict: UInt32) {
        step("immediate") {
            put(Int(NFTA_IMMEDIATE_DREG.rawValue), UInt32(NFT_REG_VERDICT.rawValue).bigEndian)
            nest(Int(NFTA_IMMEDIATE_DATA.rawValue) | Int(NLA_F_NESTED)) {
                nest(Int(NFTA_DATA_VERDICT.rawValue) | Int(NLA_F_NESTED)) {
                    put(Int(NFTA_VERDICT_CODE.rawValue), verdict.bigEndian)
                }
            }
        }
    }

    private func data(_ type: UInt32, _ value: [UInt8]) {
        nest(Int(type) | Int(NLA_F_NESTED)) { put(Int(NFTA_DATA_VALUE.rawValue), bytes: value) }
    }

    private func step(_ name: String, _ body: () -> Void) {
        nest(Int(NFTA_LIST_ELEM.rawValue) | Int(NLA_F_NESTED)) {
            put(Int(NFTA_EXPR_NAME.rawValue), text: name)
            nest(Int(NFTA_EXPR_DATA.rawValue) | Int(NLA_F_NESTED), body)
        }
    }
}
