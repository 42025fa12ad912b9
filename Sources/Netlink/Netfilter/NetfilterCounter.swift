import CNetlink
import Glibc
public import Kernel

/// What a named counter of nftables has counted (nft(8), `counter`).
public struct NetfilterCounter: Sendable, Hashable {
    public var name: String
    public var packets: UInt64 = 0
    public var bytes: UInt64 = 0

    init?(_ attributes: NetlinkAttributes) {
        guard let name = attributes[Int(NFTA_OBJ_NAME.rawValue)]?.text,
            let data = attributes[Int(NFTA_OBJ_DATA.rawValue)]?.nested,
            let packets = data.number(Int(NFTA_COUNTER_PACKETS.rawValue), as: UInt64.self),
            let bytes = data.number(Int(NFTA_COUNTER_BYTES.rawValue), as: UInt64.self)
        else { return nil }
        self.name = name
        self.packets = UInt64(bigEndian: packets)
        self.bytes = UInt64(bigEndian: bytes)
    }
}

extension NetfilterSocket {
    /// The named counters of a table.
    public func counters(
        of family: NetfilterSet.Family, table: String
    ) throws(SystemError) -> [NetfilterCounter] {
        let message = NetlinkMessage.netfilter("list the counters of the table \(table)", NFT_MSG_GETOBJ, family)
        message.put(Int(NFTA_OBJ_TABLE.rawValue), text: table)
        message.put(Int(NFTA_OBJ_TYPE.rawValue), UInt32(NFT_OBJECT_COUNTER).bigEndian)
        var counters: [NetfilterCounter] = []
        try dump(message) { reply in
            let attributes = reply.attributes(after: nfgenmsg.self)
            if let counter = NetfilterCounter(attributes) { counters.append(counter) }
        }
        return counters
    }
}
