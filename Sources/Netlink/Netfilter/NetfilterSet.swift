import CNetlink
import Glibc
public import Kernel

/// A set or map of nftables (nft(8)), by its table.
public struct NetfilterSet: Sendable, Hashable {
    public enum Family: UInt8, Sendable {
        case inet = 1
        case netdev = 5
        case bridge = 7
    }

    public var family: Family
    public var table: String
    public var name: String

    public init(_ family: Family, _ table: String, _ name: String) {
        (self.family, self.table, self.name) = (family, table, name)
    }
}

/// An element of a set or map: what is looked up, and of a map what is found.
public struct NetfilterElement: Sendable, Hashable {
    /// Bytes of a concatenation's fields, each filled up to four: ``NetfilterKey``.
    public var key: [UInt8]
    /// The last key of a range, in sets with the flag `interval`.
    public var end: [UInt8]?
    /// Of a map.
    public var data: [UInt8]?

    public init(_ key: NetfilterKey, through end: NetfilterKey? = nil, leadsTo data: NetfilterKey? = nil) {
        self.key = key.bytes
        self.end = end?.bytes
        self.data = data?.bytes
    }

    init?(_ attributes: NetlinkAttributes) {
        func value(_ type: Int) -> [UInt8]? {
            attributes[type]?.nested[Int(NFTA_DATA_VALUE.rawValue)].map { Array($0.bytes) }
        }
        guard let key = value(Int(NFTA_SET_ELEM_KEY.rawValue)) else { return nil }
        self.key = key
        end = value(Int(NFTA_SET_ELEM_KEY_END.rawValue))
        data = value(Int(NFTA_SET_ELEM_DATA.rawValue))
    }
}

/// Fields of a concatenation, one after the other.
public struct NetfilterKey: Sendable, Hashable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// A number in the machine's order: an interface's index, a protocol.
    public func adding(native number: UInt32) -> NetfilterKey {
        adding(withUnsafeBytes(of: number) { Array($0) })
    }

    /// The same in a set with the flag `interval`, where nft(8) has rules turn it round so that it compares bytewise.
    public func adding(ordered number: UInt32) -> NetfilterKey { adding(native: number.bigEndian) }

    /// A number as packets have it: a port.
    public func adding(port: UInt16) -> NetfilterKey { adding([UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]) }

    /// One byte: a protocol.
    public func adding(byte: UInt8) -> NetfilterKey { adding([byte]) }

    /// An address, filled up to four bytes as every field is.
    public func adding(_ field: [UInt8]) -> NetfilterKey {
        var key = NetfilterKey()
        key.bytes.reserveCapacity(bytes.count + field.count + 3)
        key.bytes += bytes
        key.bytes += field
        while key.bytes.count % 4 != 0 { key.bytes.append(0) }
        return key
    }
}

extension NetlinkMessage {
    /// Adds elements to a set; those that are there already are no error.
    public static func add(_ elements: [NetfilterElement], to set: NetfilterSet) -> NetlinkMessage {
        message(set, NFT_MSG_NEWSETELEM, "add to the set \(set.name)", elements, flags: NLM_F_CREATE)
    }

    /// The same of one alone.
    public static func add(_ element: NetfilterElement, to set: NetfilterSet) -> NetlinkMessage {
        message(set, NFT_MSG_NEWSETELEM, "add to the set \(set.name)", CollectionOfOne(element), flags: NLM_F_CREATE)
    }

    /// The same, where an element that is there already is EEXIST.
    public static func addNew(_ elements: [NetfilterElement], to set: NetfilterSet) -> NetlinkMessage {
        message(set, NFT_MSG_NEWSETELEM, "add to the set \(set.name)", elements, flags: NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Takes elements out of a set; ENOENT when one is not there.
    public static func delete(_ elements: [NetfilterElement], from set: NetfilterSet) -> NetlinkMessage {
        message(set, NFT_MSG_DELSETELEM, "take out of the set \(set.name)", elements, flags: 0)
    }

    /// Deletes a table with all that is in it; ENOENT when there is none.
    public static func delete(table: String, _ family: NetfilterSet.Family) -> NetlinkMessage {
        let message = netfilter("delete the table \(table)", NFT_MSG_DELTABLE, family)
        message.put(Int(NFTA_TABLE_NAME.rawValue), text: table)
        return message
    }

    /// Has a table's chains be passed, which the flag `dormant` kept out of the way.
    public static func wake(table: String, _ family: NetfilterSet.Family) -> NetlinkMessage {
        let message = netfilter("wake the table \(table)", NFT_MSG_NEWTABLE, family)
        message.put(Int(NFTA_TABLE_NAME.rawValue), text: table)
        message.put(Int(NFTA_TABLE_FLAGS.rawValue), UInt32(0))
        return message
    }

    /// The beginning of a message about a family's tables (nfnetlink).
    static func netfilter(
        _ action: @escaping @autoclosure () -> String, _ type: nf_tables_msg_types, _ family: NetfilterSet.Family,
        flags: Int32 = 0, capacity: Int = 256
    ) -> NetlinkMessage {
        let number = Int(NFNL_SUBSYS_NFTABLES) << 8 | Int(type.rawValue)
        let message = NetlinkMessage(action(), number, flags: flags, capacity: capacity)
        var header = nfgenmsg()
        header.nfgen_family = family.rawValue
        message.header(header)
        return message
    }

    static func list(_ set: NetfilterSet) -> NetlinkMessage {
        message(set, NFT_MSG_GETSETELEM, "list the set \(set.name)", EmptyCollection(), flags: 0)
    }

    private static func message(
        _ set: NetfilterSet, _ type: nf_tables_msg_types, _ action: @escaping @autoclosure () -> String,
        _ elements: some Collection<NetfilterElement>, flags: Int32
    ) -> NetlinkMessage {
        let message = netfilter(action(), type, set.family, flags: flags, capacity: 512 + elements.count * 192)
        message.put(Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), text: set.table)
        message.put(Int(NFTA_SET_ELEM_LIST_SET.rawValue), text: set.name)
        if elements.isEmpty { return message }
        message.nest(Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue) | Int(NLA_F_NESTED)) {
            for element in elements {
                message.nest(Int(NFTA_LIST_ELEM.rawValue) | Int(NLA_F_NESTED)) { message.put(element) }
            }
        }
        return message
    }

    private func put(_ element: NetfilterElement) {
        func put(_ type: nft_set_elem_attributes, _ bytes: [UInt8]?) {
            guard let bytes else { return }
            nest(Int(type.rawValue) | Int(NLA_F_NESTED)) { self.put(Int(NFTA_DATA_VALUE.rawValue), bytes: bytes) }
        }
        put(NFTA_SET_ELEM_KEY, element.key)
        put(NFTA_SET_ELEM_KEY_END, element.end)
        put(NFTA_SET_ELEM_DATA, element.data)
    }
}

extension NetfilterSocket {
    /// The sets and maps of a table, those of single rules too.
    public func sets(of family: NetfilterSet.Family, table: String) throws(SystemError) -> [NetfilterSet] {
        let message = NetlinkMessage.netfilter("list the sets of the table \(table)", NFT_MSG_GETSET, family)
        message.put(Int(NFTA_SET_TABLE.rawValue), text: table)
        var sets: [NetfilterSet] = []
        try dump(message) { reply in
            let attributes = reply.attributes(after: nfgenmsg.self)
            guard let name = attributes[Int(NFTA_SET_NAME.rawValue)]?.text else { return }
            sets.append(NetfilterSet(family, table, name))
        }
        return sets
    }
}
