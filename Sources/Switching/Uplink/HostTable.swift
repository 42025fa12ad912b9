import Addresses
import Glibc
import Kernel
import Netlink

/// The nftables(8) table of the host's network namespace: see ``LinkRuleset/host``.
struct HostTable {
    /// A descriptor of the host's network namespace.
    let host: Int32

    static let name = "sandbox"
    /// NF_INET_FORWARD.
    static let forwardHook: UInt32 = 2

    enum Links: String, CaseIterable { case links, ways, opened }

    static func set(_ name: String) -> NetfilterSet { NetfilterSet(.inet, HostTable.name, name) }

    /// The names in a set; `nil` where there is no table.
    func names(_ set: Links) throws(SystemError) -> [String]? {
        try elements(set.rawValue)?.map { String(decoding: $0.key.prefix { $0 != 0 }, as: UTF8.self) }
    }

    func elements(_ set: String) throws(SystemError) -> [NetfilterElement]? {
        try NetfilterSocket(in: host).existingElements(of: HostTable.set(set))
    }

    /// Makes it where it is missing.
    /// - Returns: whether it was.
    func ensure() throws(SwitchError) -> Bool {
        if try attributed({ () throws(SystemError) in try names(.links) }) != nil { return false }
        let nft = try Program("nft", package: "nftables")
        do throws(SwitchError) {
            try nft.run(["-f", "-"], input: LinkRuleset.host, in: host)
        } catch {
            // Another was faster.
            if try attributed({ () throws(SystemError) in try names(.links) }) == nil { throw error }
        }
        return true
    }

    func add(_ name: String, to sets: [Links]) throws(SystemError) {
        try NetfilterSocket(in: host).commit(
            sets.map { .add([HostTable.element(name)], to: HostTable.set($0.rawValue)) })
    }

    /// Takes links out that are there no more.
    /// - Returns: how many are left; `nil` where there is no table.
    func dropLostLinks() throws(SystemError) -> Int? {
        guard let names = try names(.links) else { return nil }
        let present = Set(try NetlinkSocket(in: host).links().filter { $0.kind == "veth" }.map { $0.name })
        let lost = names.filter { !present.contains($0) }
        let ways = Set(try self.names(.ways) ?? [])
        var messages: [NetlinkMessage] = []
        for (set, gone) in [(Links.links, lost), (.ways, lost.filter { ways.contains($0) })] where !gone.isEmpty {
            messages.append(.delete(gone.map { HostTable.element($0) }, from: HostTable.set(set.rawValue)))
        }
        try NetfilterSocket(in: host).commit(messages)
        return names.count - lost.count
    }

    func remove() throws(SystemError) {
        try NetfilterSocket(in: host).commit([.delete(table: HostTable.name, .inet)])
    }

    /// An interface's name fills sixteen bytes.
    private static func element(_ name: String) -> NetfilterElement {
        let bytes = Array(name.utf8)
        return NetfilterElement(
            NetfilterKey().adding(bytes + [UInt8](repeating: 0, count: max(0, 16 - bytes.count))))
    }
}

extension NetfilterSocket {
    /// What is in a set; `nil` where there is no such table or set.
    func existingElements(of set: NetfilterSet) throws(SystemError) -> [NetfilterElement]? {
        do throws(SystemError) { return try elements(of: set) } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }
}
