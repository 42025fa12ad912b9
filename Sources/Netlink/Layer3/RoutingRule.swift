public import Addresses
import CNetlink
import Glibc

/// By which table packets find their way (ip-rule(8), RTM_NEWRULE).
public struct RoutingRule: Sendable, Equatable {
    public var family: IPFamily
    /// The less, the earlier it is asked.
    public var priority: UInt32
    /// 254 is the main table, 255 the one of the host's own addresses.
    public var table: UInt32
    /// Where they lead; nil for anywhere.
    public var destination: IPPrefix?
    /// The name of the interface that they came in by; `lo` is for those of the host's own.
    public var input: String?

    public init(
        _ family: IPFamily, priority: UInt32, table: UInt32, to destination: IPPrefix? = nil, input: String? = nil
    ) {
        self.family = family
        self.priority = priority
        self.table = table
        self.destination = destination
        self.input = input
    }
}

extension NetlinkMessage {
    /// Adds a rule; EEXIST when there is the same.
    public static func add(_ rule: RoutingRule) -> NetlinkMessage {
        message(rule, "add", RTM_NEWRULE, flags: NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Deletes a rule; ENOENT when there is none such.
    public static func delete(_ rule: RoutingRule) -> NetlinkMessage { message(rule, "delete", RTM_DELRULE) }

    private static func message(_ rule: RoutingRule, _ verb: String, _ type: Int, flags: Int32 = 0) -> NetlinkMessage {
        let message = NetlinkMessage("\(verb) the routing rule \(rule.priority)", type, flags: flags, capacity: 256)
        var header = fib_rule_hdr()
        header.family = rule.family.number
        header.dst_len = UInt8(rule.destination?.length ?? 0)
        header.action = UInt8(FR_ACT_TO_TBL)
        message.header(header)
        message.put(FRA_PRIORITY, rule.priority)
        message.put(FRA_TABLE, rule.table)
        if let destination = rule.destination { message.put(FRA_DST, bytes: destination.first.bytes) }
        if let input = rule.input { message.put(FRA_IIFNAME, text: input) }
        return message
    }
}
