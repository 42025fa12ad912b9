import CNetlink

extension NetlinkMessage {
    /// Gives a network interface further names, at most 127 bytes each, that no other interface of the namespace has as
    /// a name of whatever sort (ip-link(8), `altname`); EEXIST when one has. They go when the interface goes.
    public static func add(alternativeNames names: [String], to link: LinkReference) -> NetlinkMessage {
        properties(names, "add names to", RTM_NEWLINKPROP, link)
    }

    public static func delete(alternativeNames names: [String], from link: LinkReference) -> NetlinkMessage {
        properties(names, "delete names from", RTM_DELLINKPROP, link)
    }

    private static func properties(
        _ names: [String], _ verb: String, _ type: Int, _ link: LinkReference
    ) -> NetlinkMessage {
        let flags = type == RTM_NEWLINKPROP ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0
        let message = NetlinkMessage(
            "\(verb) the interface \(link)", type, flags: flags, capacity: 512 + 136 * names.count)
        message.header(link)
        message.nest(IFLA_PROP_LIST | Int(NLA_F_NESTED)) {
            for name in names { message.put(IFLA_ALT_IFNAME, text: name) }
        }
        return message
    }
}
