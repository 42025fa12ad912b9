import Addresses
import Glibc
import Kernel
import Netlink
import Profile

/// Rules that lead to names of the DNS: the name server adds the addresses of its answers to the sets of
/// ``NameSlots``, and ports are let to what is there.
enum NameRules {
    /// Added to ``Ruleset/ports``. An address is forgotten an hour after the last answer that was new, or the last
    /// packet to it.
    static var ruleset: String {
        var text = "table bridge rules {\nflags dormant;\n"
        var (sent, received) = ("", "")
        for slot in 0..<NameSlots.count {
            text += "set name4_\(slot) { type ipv4_addr; flags dynamic,timeout; timeout 1h; }\n"
            text += "set name6_\(slot) { type ipv6_addr; flags dynamic,timeout; timeout 1h; }\n"
            text += "set ports_\(slot) { typeof iif . meta l4proto . th dport; flags interval; }\n"
            for (family, ip) in [("4", "ip"), ("6", "ip6")] {
                let set = "@name\(family)_\(slot)"
                sent += "iif . meta l4proto . th dport @ports_\(slot) \(ip) daddr \(set) "
                sent += "update \(set) { \(ip) daddr timeout 1h } accept\n"
                received += "oif . meta l4proto . th sport @ports_\(slot) \(ip) saddr \(set) accept\n"
            }
        }
        return text + "chain names_sent {\n\(sent)}\nchain names_received {\n\(received)}\n}\n"
    }

    /// The names that rules lead to, each once.
    static func names(_ rules: [TrafficRule]?) -> [String] {
        var names: [String] = []
        for case .name(let name)? in rules?.map({ Optional($0.peer) }) ?? [] where !names.contains(name) {
            names.append(name)
        }
        return names
    }

    static func check(_ names: [String], on spec: SwitchSpec) throws(SwitchError) {
        guard spec.hasDNS else {
            throw SwitchError(
                key: "allow", "a rule by name needs a name server on the switch \"\(spec.name)\"",
                mend: "make it with --dns")
        }
        if spec.resolvers.isEmpty, !spec.hasHostLink {
            throw SwitchError(
                key: "allow", "the name server of the switch \"\(spec.name)\" has nobody to ask for names",
                mend: "make the switch with --uplink nat or --resolver")
        }
        for name in names {
            let isOwn = !name.contains(".") || name.hasSuffix("." + spec.searchDomain.lowercased())
            if isOwn || !DomainName.isValid(name) {
                throw SwitchError(
                    key: "allow", "\"\(name)\" is no name beyond the switch",
                    mend: "write a full name such as \"example.org\", for a sandbox of the switch its address")
            }
        }
    }
}

extension SwitchStore {
    /// Gives the names that an interface's rules lead to slots on its switch.
    func bindNames(_ interface: Profile.Interface, _ fabric: borrowing Switch) throws(SwitchError) {
        let names = NameRules.names(interface.allow)
        if names.isEmpty { return }
        try NameRules.check(names, on: fabric.spec)
        let before = try attributed { () throws(SystemError) in try NameSlots(fabric.openFolder()) }
        if names.allSatisfy({ before.slot(of: $0) != nil }) { return }
        let lock = try lock()
        defer { lock.release() }
        var slots = try attributed { () throws(SystemError) in try NameSlots(fabric.openFolder()) }
        for name in names where slots.slot(of: name) == nil {
            if slots.bind(name) { continue }
            try freeUnused(&slots, except: names, fabric)
            guard slots.bind(name) else {
                throw SwitchError(
                    key: "allow",
                    "rules of the switch \"\(fabric.spec.name)\" lead to \(NameSlots.count) names already",
                    mend: "end sandboxes, use another switch, or write addresses")
            }
        }
        try attributed { () throws(SystemError) in try slots.write(fabric.openFolder()) }
    }

    /// Frees the slots of names that no port leads to.
    private func freeUnused(
        _ slots: inout NameSlots, except kept: [String], _ fabric: borrowing Switch
    ) throws(SwitchError) {
        let alive = Set(try fabric.ports().map { $0.link.index })
        for slot in 0..<NameSlots.count {
            guard let name = slots.names[slot], !kept.contains(name) else { continue }
            let isFree = try attributed(to: "allow") { () throws(SystemError) in
                let socket = try NetfilterSocket(in: fabric.namespace.number)
                let users = try socket.elements(of: NameElements.set("ports_\(slot)"))
                if users.contains(where: { alive.contains(NameElements.index(of: $0)) }) { return false }
                for set in ["name4_\(slot)", "name6_\(slot)", "ports_\(slot)"] {
                    let left = try socket.elements(of: NameElements.set(set))
                    if !left.isEmpty { try socket.commit([.delete(left, from: NameElements.set(set))]) }
                }
                return true
            }
            if isFree { slots.free(slot) }
        }
    }

    /// Lets a port to what its rules' names lead to, and to the name server.
    func allowNames(_ rules: [TrafficRule], _ port: Port, _ fabric: borrowing Switch) throws(SwitchError) {
        let names = NameRules.names(rules)
        guard let end = port.end, !names.isEmpty else { return }
        let lock = try lock()
        defer { lock.release() }
        try attributed(to: "allow") { () throws(SystemError) in
            let slots = try NameSlots(fabric.openFolder())
            guard let link = try NetlinkSocket(in: fabric.namespace.number).link(.name(end)) else { return }
            let elements = NameElements(index: link.index)
            var messages = elements.asking(fabric.spec.subnets.map { $0.address }, rules)
            for name in names {
                guard let slot = slots.slot(of: name) else {
                    throw SystemError("find the rules for \(name)", code: ENOENT, mend: "try again")
                }
                messages += elements.leading(to: name, slot, rules)
            }
            try NetfilterSocket(in: fabric.namespace.number).commit(messages)
        }
    }
}
