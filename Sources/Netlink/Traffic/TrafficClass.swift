import CNetlink
import Glibc

/// A class of ``Qdisc/classes(otherwise:)`` (tc-htb(8)): `1:NUMBER`.
public struct TrafficClass: Sendable, Equatable {
    /// Not 0, which is the queue itself.
    public var number: UInt16
    /// The class that it is a part of; 0 for the queue itself.
    public var parent: UInt16 = 0
    /// What it gets for certain.
    public var assured: RateLimit
    /// What it gets while others leave something; of a class without a parent the same as `assured` makes it a limit.
    public var ceiling: RateLimit
    /// 0 to 7, the less the earlier.
    public var priority: UInt32 = 0

    public init(_ number: UInt16, in parent: UInt16 = 0, _ assured: RateLimit, ceiling: RateLimit? = nil) {
        self.number = number
        self.parent = parent
        self.assured = assured
        self.ceiling = ceiling ?? assured
    }
}

extension NetlinkMessage {
    /// Adds a class to an interface's queue, or changes the one of that number; nothing is lost meanwhile.
    public static func replace(_ traffic: TrafficClass, on link: Int32) -> NetlinkMessage {
        let message = message(traffic, "set", RTM_NEWTCLASS, link, flags: NLM_F_CREATE | NLM_F_REPLACE)
        message.put(TCA_KIND, text: "htb")
        message.nest(TCA_OPTIONS) {
            var options = tc_htb_opt()
            options.rate = traffic.assured.specification
            options.ceil = traffic.ceiling.specification
            options.buffer = traffic.assured.ticks(traffic.assured.burst)
            options.cbuffer = traffic.ceiling.ticks(traffic.ceiling.burst)
            options.quantum = UInt32(min(max(traffic.assured.rate / 10, 1600), 200_000))
            options.prio = traffic.priority
            message.put(TCA_HTB_PARMS, options)
            if traffic.assured.rate >= 1 << 32 { message.put(TCA_HTB_RATE64, traffic.assured.rate) }
            if traffic.ceiling.rate >= 1 << 32 { message.put(TCA_HTB_CEIL64, traffic.ceiling.rate) }
        }
        return message
    }

    /// Deletes a class; ENOENT when there is none, EBUSY while filters sort into it.
    public static func delete(_ traffic: TrafficClass, from link: Int32) -> NetlinkMessage {
        message(traffic, "delete", RTM_DELTCLASS, link)
    }

    private static func message(
        _ traffic: TrafficClass, _ verb: String, _ type: Int, _ link: Int32, flags: Int32 = 0
    ) -> NetlinkMessage {
        let message = NetlinkMessage(
            "\(verb) the class 1:\(String(traffic.number, radix: 16)) of the interface number \(link)", type,
            flags: flags, capacity: 512)
        message.traffic(link, parent: 0x1_0000 | UInt32(traffic.parent), handle: 0x1_0000 | UInt32(traffic.number))
        return message
    }
}
