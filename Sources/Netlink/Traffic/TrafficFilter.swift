import CNetlink
import Glibc
public import Kernel

/// What is done with some of an interface's frames, where it has ``Qdisc/filters`` (tc(8)). The first that matches
/// acts.
public struct TrafficFilter: Sendable, Equatable {
    public enum Direction: Sendable, Equatable {
        case input
        case output

        /// `ffff:fff2` and `ffff:fff3`.
        var parent: UInt32 { self == .input ? 0xFFFF_FFF2 : 0xFFFF_FFF3 }
    }

    public enum Action: Sendable, Equatable {
        /// Out of the interface of that index, and no further here (tc-mirred(8)).
        case redirect(to: Int32)
        /// In at the interface of that index, as if it had come from its wire.
        case inject(into: Int32)
        /// A copy out of the interface of that index.
        case mirror(to: Int32)
        /// Into the class `1:NUMBER` of ``Qdisc/classes(otherwise:)``; the filter is at that queue.
        case sort(into: UInt16)
        /// What an eBPF program says, by its descriptor, with a name for lists (tc-bpf(8), direct-action).
        case program(Int32, name: String)
        /// Only in lists: something else.
        case unknown(String)
    }

    /// 32 bits of a frame, from the network layer's header on (tc-u32(8)).
    public struct Match: Sendable, Equatable {
        public var value: UInt32
        public var mask: UInt32
        /// Bytes, a multiple of 4; negative for the header before.
        public var offset: Int32

        public init(value: UInt32, mask: UInt32, offset: Int32) {
            self.value = value
            self.mask = mask
            self.offset = offset
        }
    }

    public var direction: Direction
    /// 1 to 65535, the less the earlier; one place holds filters of one kind and protocol. Give input and output
    /// different ones: the kernel lists u32 filters of the same one in both.
    public var priority: UInt16
    /// An Ethernet type; 3 (ETH_P_ALL) for all.
    public var `protocol`: UInt16
    /// All must match. A program sees everything.
    public var matches: [Match]
    public var action: Action

    public init(
        _ direction: Direction, priority: UInt16, protocol: UInt16 = 3, matches: [Match] = [], _ action: Action
    ) {
        self.direction = direction
        self.priority = priority
        self.protocol = `protocol`
        self.matches = matches
        self.action = action
    }

    /// Of those that act behind the programs of ``InterfacePrograms``.
    public static let firstPriority: UInt16 = 1000

    private var isProgram: Bool {
        if case .program = action { return true }
        return false
    }

    fileprivate var kind: String { isProgram ? "bpf" : "u32" }
    fileprivate var information: UInt32 { UInt32(priority) << 16 | UInt32(`protocol`.bigEndian) }
    fileprivate var parent: UInt32 {
        if case .sort = action { return 0x1_0000 }
        return direction.parent
    }

    /// `struct tc_u32_sel` and the keys behind it.
    fileprivate var selector: [UInt8] {
        let keys = matches.isEmpty ? [Match(value: 0, mask: 0, offset: 0)] : matches
        var selector = [UInt8](repeating: 0, count: 16)
        selector[0] = UInt8(TC_U32_TERMINAL)
        selector[2] = UInt8(keys.count)
        for key in keys {
            for word in [key.mask.bigEndian, (key.value & key.mask).bigEndian, UInt32(bitPattern: key.offset), 0] {
                withUnsafeBytes(of: word) { selector.append(contentsOf: $0) }
            }
        }
        return selector
    }
}

extension NetlinkMessage {
    /// Adds a filter behind those of its priority.
    public static func add(_ filter: TrafficFilter, to link: Int32) -> NetlinkMessage {
        let message = message(filter, "add", RTM_NEWTFILTER, link, flags: NLM_F_CREATE | NLM_F_EXCL)
        message.put(TCA_KIND, text: filter.kind)
        message.nest(TCA_OPTIONS) { message.put(filter) }
        return message
    }

    /// Puts an eBPF program in the place of the one at its priority, with no frame between the two.
    public static func replace(program descriptor: Int32, name: String, of filter: TrafficFilter, on link: Int32)
        -> NetlinkMessage
    {
        var filter = filter
        filter.action = .program(descriptor, name: name)
        let message = message(
            filter, "replace", RTM_NEWTFILTER, link, flags: NLM_F_CREATE | NLM_F_REPLACE, handle: 1)
        message.put(TCA_KIND, text: filter.kind)
        message.nest(TCA_OPTIONS) { message.put(filter) }
        return message
    }

    /// Deletes all filters of that direction, priority and protocol; ENOENT when there are none.
    public static func delete(_ filter: TrafficFilter, from link: Int32) -> NetlinkMessage {
        message(filter, "delete", RTM_DELTFILTER, link)
    }

    private static func message(
        _ filter: TrafficFilter, _ verb: String, _ type: Int, _ link: Int32, flags: Int32 = 0, handle: UInt32 = 0
    ) -> NetlinkMessage {
        let message = NetlinkMessage(
            "\(verb) the \(filter.kind) filter \(filter.priority) of the interface number \(link)", type, flags: flags)
        message.traffic(link, parent: filter.parent, handle: handle, information: filter.information)
        return message
    }

    private func put(_ filter: TrafficFilter) {
        switch filter.action {
        case .program(let descriptor, let name):
            put(TCA_BPF_FD, UInt32(bitPattern: descriptor))
            put(TCA_BPF_NAME, text: name)
            put(TCA_BPF_FLAGS, UInt32(TCA_BPF_FLAG_ACT_DIRECT))
            return
        case .sort(let number): put(TCA_U32_CLASSID, 0x1_0000 | UInt32(number))
        case .redirect(let link): mirred(link, TCA_EGRESS_REDIR)
        case .inject(let link): mirred(link, TCA_INGRESS_REDIR)
        case .mirror(let link): mirred(link, TCA_EGRESS_MIRROR)
        case .unknown: break
        }
        put(TCA_U32_SEL, bytes: filter.selector)
    }

    private func mirred(_ link: Int32, _ kind: Int32) {
        nest(TCA_U32_ACT) {
            nest(1) {
                put(TCA_ACT_KIND, text: "mirred")
                nest(TCA_ACT_OPTIONS) {
                    var options = tc_mirred()
                    options.action = kind == TCA_EGRESS_MIRROR ? TC_ACT_PIPE : TC_ACT_STOLEN
                    options.eaction = kind
                    options.ifindex = UInt32(bitPattern: link)
                    put(TCA_MIRRED_PARMS, options)
                }
            }
        }
    }
}

extension TrafficFilter {
    /// nil for what is no filter, such as u32's tables.
    init?(_ reply: NetlinkReply, _ direction: Direction) {
        guard reply.type == RTM_NEWTFILTER, let header = reply.header(tcmsg.self) else { return nil }
        let attributes = reply.attributes(after: tcmsg.self)
        guard let kind = attributes[TCA_KIND]?.text, let options = attributes[TCA_OPTIONS]?.nested else { return nil }
        switch kind {
        case "bpf":
            action = .program(options.number(TCA_BPF_ID, as: Int32.self) ?? 0, name: options[TCA_BPF_NAME]?.text ?? "")
            matches = []
        case "u32":
            guard let selector = options[TCA_U32_SEL] else { return nil }
            matches = TrafficFilter.matches(selector)
            action = TrafficFilter.action(options)
        default:
            action = .unknown(kind)
            matches = []
        }
        self.direction = direction
        priority = UInt16(truncatingIfNeeded: header.tcm_info >> 16)
        `protocol` = UInt16(truncatingIfNeeded: header.tcm_info).bigEndian
    }

    private static func matches(_ selector: NetlinkAttribute) -> [Match] {
        var matches: [Match] = []
        var rest = selector.bytes.dropFirst(16)
        while let key = NetlinkAttribute(selector.type, rest).value(tc_u32_key.self) {
            if key.mask != 0 {
                matches.append(Match(value: key.val.bigEndian, mask: key.mask.bigEndian, offset: key.off))
            }
            rest = rest.dropFirst(MemoryLayout<tc_u32_key>.size)
        }
        return matches
    }

    private static func action(_ options: NetlinkAttributes) -> Action {
        guard let first = options[TCA_U32_ACT]?.nested[1]?.nested else {
            let number = options.number(TCA_U32_CLASSID, as: UInt32.self) ?? 0
            return .sort(into: UInt16(truncatingIfNeeded: number))
        }
        let settings = first[TCA_ACT_OPTIONS]?.nested[TCA_MIRRED_PARMS]?.value(tc_mirred.self)
        guard let settings else { return .unknown(first[TCA_ACT_KIND]?.text ?? "") }
        let link = Int32(bitPattern: settings.ifindex)
        switch settings.eaction {
        case TCA_EGRESS_REDIR: return .redirect(to: link)
        case TCA_INGRESS_REDIR: return .inject(into: link)
        case TCA_EGRESS_MIRROR: return .mirror(to: link)
        default: return .unknown("mirred")
        }
    }
}

extension NetlinkSocket {
    /// The filters of an interface, by its index, in the order in which they act. A program is told by its id
    /// (bpf(2)) instead of a descriptor.
    public func filters(of link: Int32, _ direction: TrafficFilter.Direction) throws(SystemError) -> [TrafficFilter] {
        let message = NetlinkMessage("list the filters of the interface number \(link)", RTM_GETTFILTER, capacity: 128)
        message.traffic(link, parent: direction.parent, handle: 0)
        var filters: [TrafficFilter] = []
        try dump(message, reset: { filters = [] }) {
            if let filter = TrafficFilter($0, direction) { filters.append(filter) }
        }
        return filters
    }
}

extension NetlinkMessage {
    /// A filter by the shortest classic BPF program, which matches nothing, to see whether there can be such filters.
    static func addClassicProbe(to link: Int32) -> NetlinkMessage {
        let filter = TrafficFilter(.output, priority: 9, .program(-1, name: "probe"))
        let message = message(filter, "add", RTM_NEWTFILTER, link, flags: NLM_F_CREATE | NLM_F_EXCL)
        message.put(TCA_KIND, text: filter.kind)
        message.nest(TCA_OPTIONS) {
            message.put(TCA_BPF_CLASSID, UInt32(0x1_0001))
            message.put(TCA_BPF_OPS_LEN, UInt16(1))
            // BPF_RET | BPF_K, 0.
            message.put(TCA_BPF_OPS, bytes: [6, 0, 0, 0, 0, 0, 0, 0])
        }
        return message
    }
}
