import CNetlink
import Glibc
public import Kernel

/// A queueing discipline or a class of one, as the kernel describes it, with what has gone through it.
public struct TrafficState: Sendable, Equatable {
    /// `tbf`, `htb` and their like.
    public var kind: String
    /// The interface's index.
    public var link: Int32
    /// `MAJOR:MINOR` as one number.
    public var handle: UInt32
    public var parent: UInt32
    /// Of tbf, and of a class of htb.
    public var limit: RateLimit?
    /// Of a class of htb.
    public var ceiling: RateLimit?
    public var bytes: UInt64 = 0
    public var packets: UInt64 = 0
    /// Packets.
    public var dropped: UInt64 = 0
    /// How often something had to wait.
    public var overLimit: UInt64 = 0
    /// Bytes that wait.
    public var backlog: UInt64 = 0

    init?(_ reply: NetlinkReply) {
        guard let header = reply.header(tcmsg.self) else { return nil }
        let attributes = reply.attributes(after: tcmsg.self)
        guard let kind = attributes[TCA_KIND]?.text else { return nil }
        self.kind = kind
        (link, handle, parent) = (header.tcm_ifindex, header.tcm_handle, header.tcm_parent)
        take(statistics: attributes[TCA_STATS2]?.nested)
        guard let options = attributes[TCA_OPTIONS]?.nested else { return }
        switch (kind, reply.type) {
        case ("tbf", _): take(tokenBucket: options)
        case ("htb", RTM_NEWTCLASS): take(classOptions: options)
        default: break
        }
    }

    private mutating func take(statistics: NetlinkAttributes?) {
        // The kernel's structure ends with 4 bytes that are no number, and not always there.
        if let basic = statistics?[TCA_STATS_BASIC] {
            bytes = basic.value(UInt64.self) ?? 0
            packets = NetlinkAttribute(basic.type, basic.bytes.dropFirst(8)).value(UInt32.self).map { UInt64($0) } ?? 0
        }
        if let wide = statistics?.number(TCA_STATS_PKT64, as: UInt64.self) { packets = wide }
        guard let queue = statistics?[TCA_STATS_QUEUE]?.value(gnet_stats_queue.self) else { return }
        dropped = UInt64(queue.drops)
        overLimit = UInt64(queue.overlimits)
        backlog = UInt64(queue.backlog)
    }

    private mutating func take(tokenBucket options: NetlinkAttributes) {
        guard let settings = options[TCA_TBF_PARMS]?.value(tc_tbf_qopt.self) else { return }
        let rate = options.number(TCA_TBF_RATE64, as: UInt64.self) ?? UInt64(settings.rate.rate)
        limit = RateLimit(rate: rate, ticks: settings.buffer, limit: settings.limit)
    }

    private mutating func take(classOptions options: NetlinkAttributes) {
        guard let settings = options[TCA_HTB_PARMS]?.value(tc_htb_opt.self) else { return }
        let rate = options.number(TCA_HTB_RATE64, as: UInt64.self) ?? UInt64(settings.rate.rate)
        let most = options.number(TCA_HTB_CEIL64, as: UInt64.self) ?? UInt64(settings.ceil.rate)
        limit = RateLimit(rate: rate, ticks: settings.buffer, limit: 0)
        ceiling = RateLimit(rate: most, ticks: settings.cbuffer, limit: 0)
    }
}

extension NetlinkSocket {
    /// The queueing disciplines of all interfaces, or of one by its index.
    public func qdiscs(of link: Int32? = nil) throws(SystemError) -> [TrafficState] {
        try traffic("list the queues", RTM_GETQDISC, link ?? 0)
    }

    /// The classes of an interface, by its index.
    public func classes(of link: Int32) throws(SystemError) -> [TrafficState] {
        try traffic("list the traffic classes", RTM_GETTCLASS, link)
    }

    private func traffic(_ action: String, _ type: Int, _ link: Int32) throws(SystemError) -> [TrafficState] {
        let message = NetlinkMessage(action, type, capacity: 128)
        message.traffic(link, parent: 0, handle: 0)
        var states: [TrafficState] = []
        try dump(message, reset: { states = [] }) {
            if let state = TrafficState($0), link == 0 || state.link == link { states.append(state) }
        }
        return states
    }
}
