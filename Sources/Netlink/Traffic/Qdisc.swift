import CNetlink
import Glibc

/// How an interface queues what it sends (tc(8)): at most so much, in classes, later.
public enum Qdisc: Sendable, Equatable {
    /// One rate for all (tc-tbf(8)).
    case tokenBucket(RateLimit)
    /// Classes with rates of their own (tc-htb(8)); what no filter sorts goes to class `otherwise`, 0 for no limit.
    case classes(otherwise: UInt16)
    /// Where filters act on what comes in and goes out (tc-bpf(8), clsact). It can be beside another one.
    case filters
    /// Frames wait, or get lost (tc-netem(8)).
    case impairment(Impairment)
    /// One without settings.
    case plain(String)

    /// The kernel's word for it.
    public var name: String {
        switch self {
        case .tokenBucket: "tbf"
        case .classes: "htb"
        case .filters: "clsact"
        case .impairment: "netem"
        case .plain(let name): name
        }
    }

    /// `TC_H_ROOT`, or that of filters.
    var parent: UInt32 {
        switch self {
        case .filters: 0xFFFF_FFF1
        default: 0xFFFF_FFFF
        }
    }

    /// One for each kind, as the kernel takes the same one for a change of settings: classes have `1:`.
    var handle: UInt32 {
        switch self {
        case .classes: 0x1_0000
        case .tokenBucket: 0x2_0000
        case .impairment: 0x3_0000
        case .plain: 0x4_0000
        case .filters: 0xFFFF_0000
        }
    }
}

/// A rate, and how far it may be exceeded for a moment.
public struct RateLimit: Sendable, Equatable {
    /// Bytes a second, headers of Ethernet included.
    public var rate: UInt64
    /// Bytes that may pass at once after a pause; the largest frame has to fit.
    public var burst: UInt32
    /// Bytes that wait at most (tbf only).
    public var limit: UInt32

    /// - Parameter latency: microseconds that a byte waits at most.
    public init(rate: UInt64, burst: UInt32, latency: UInt32 = 20_000) {
        self.rate = rate
        self.burst = burst
        let waiting = rate.multipliedReportingOverflow(by: UInt64(latency))
        let bytes = waiting.overflow ? UInt64(UInt32.max) : waiting.partialValue / 1_000_000 + UInt64(burst)
        limit = UInt32(clamping: bytes)
    }

    /// A burst that keeps the rate for frames of that size: a hundredth of a second, at least 32 frames, 64 KiB.
    public init(rate: UInt64, mtu: UInt32 = 1500) {
        let frames = UInt64(mtu) + 14
        self.init(rate: rate, burst: UInt32(clamping: max(rate / 100, max(frames * 32, 65_536))))
    }

    /// The kernel's time for bytes, in 64 nanoseconds.
    func ticks(_ bytes: UInt32) -> UInt32 {
        UInt32(clamping: UInt64(bytes) * 15_625_000 / max(rate, 1))
    }

    /// The whole rate is in an attribute of its own when it needs more than 32 bits.
    var specification: tc_ratespec {
        var specification = tc_ratespec()
        // The kernel then asks for no table of times.
        specification.linklayer = 1
        specification.rate = UInt32(clamping: rate)
        return specification
    }

    init(rate: UInt64, ticks: UInt32, limit: UInt32) {
        self.rate = rate
        let bytes = rate.multipliedFullWidth(by: UInt64(ticks))
        burst = bytes.high == 0 ? UInt32(clamping: (bytes.low + 7_812_500) / 15_625_000) : .max
        self.limit = limit
    }
}

public struct Impairment: Sendable, Equatable {
    /// Microseconds.
    public var delay: UInt32
    /// Microseconds, more or less.
    public var jitter: UInt32
    /// How many of a million frames get lost.
    public var lossPerMillion: UInt32

    public init(delay: UInt32 = 0, jitter: UInt32 = 0, lossPerMillion: UInt32 = 0) {
        self.delay = delay
        self.jitter = jitter
        self.lossPerMillion = lossPerMillion
    }

    /// The kernel's time, in 64 nanoseconds.
    func ticks(_ microseconds: UInt32) -> UInt32 { UInt32(clamping: UInt64(microseconds) * 125 / 8) }
}

extension NetlinkMessage {
    /// Gives an interface, by its index, a queueing discipline; EEXIST when it has one there.
    public static func add(_ qdisc: Qdisc, to link: Int32) -> NetlinkMessage {
        message(qdisc, "add", RTM_NEWQDISC, link, flags: NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Changes the settings of the one of the same kind, or puts this one in the place of another. The settings of
    /// ``Qdisc/classes(otherwise:)`` cannot be changed: EINVAL.
    public static func replace(_ qdisc: Qdisc, on link: Int32) -> NetlinkMessage {
        message(qdisc, "replace", RTM_NEWQDISC, link, flags: NLM_F_CREATE | NLM_F_REPLACE)
    }

    /// The same for the one inside another that is there, such as ``Qdisc/tokenBucket(_:)``.
    public static func replace(_ qdisc: Qdisc, on link: Int32, below outer: Qdisc) -> NetlinkMessage {
        message(
            qdisc, "replace", RTM_NEWQDISC, link, flags: NLM_F_CREATE | NLM_F_REPLACE, parent: outer.handle | 1)
    }

    /// Takes the one at the root, or that of filters with all of them, away; ENOENT when there is none.
    public static func delete(_ qdisc: Qdisc, from link: Int32) -> NetlinkMessage {
        message(qdisc, "delete", RTM_DELQDISC, link)
    }

    private static func message(
        _ qdisc: Qdisc, _ verb: String, _ type: Int, _ link: Int32, flags: Int32 = 0, parent: UInt32? = nil
    ) -> NetlinkMessage {
        let message = NetlinkMessage(
            "\(verb) the \(qdisc.name) queue of the interface number \(link)", type, flags: flags, capacity: 512)
        message.traffic(link, parent: parent ?? qdisc.parent, handle: type == RTM_DELQDISC ? 0 : qdisc.handle)
        if type == RTM_DELQDISC && qdisc.parent == 0xFFFF_FFFF { return message }
        message.put(TCA_KIND, text: qdisc.name)
        if type != RTM_DELQDISC { message.put(qdisc) }
        return message
    }

    func traffic(_ link: Int32, parent: UInt32, handle: UInt32, information: UInt32 = 0) {
        var header = tcmsg()
        header.tcm_family = UInt8(AF_UNSPEC)
        header.tcm_ifindex = link
        header.tcm_parent = parent
        header.tcm_handle = handle
        header.tcm_info = information
        self.header(header)
    }

    private func put(_ qdisc: Qdisc) {
        switch qdisc {
        case .tokenBucket(let limit):
            nest(TCA_OPTIONS) {
                var options = tc_tbf_qopt()
                options.rate = limit.specification
                options.limit = limit.limit
                options.buffer = limit.ticks(limit.burst)
                put(TCA_TBF_PARMS, options)
                put(TCA_TBF_BURST, limit.burst)
                if limit.rate >= 1 << 32 { put(TCA_TBF_RATE64, limit.rate) }
            }
        case .classes(let otherwise):
            nest(TCA_OPTIONS) {
                var options = tc_htb_glob()
                options.version = 3
                options.rate2quantum = 10
                options.defcls = UInt32(otherwise)
                put(TCA_HTB_INIT, options)
            }
        case .impairment(let impairment):
            var options = tc_netem_qopt()
            options.latency = impairment.ticks(impairment.delay)
            options.jitter = impairment.ticks(impairment.jitter)
            options.loss = UInt32(clamping: UInt64(impairment.lossPerMillion) * 4_294_967_295 / 1_000_000)
            options.limit = 1000
            put(TCA_OPTIONS, options)
        case .filters, .plain: break
        }
    }
}
