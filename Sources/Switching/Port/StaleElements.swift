import Glibc
import Kernel
import Netlink

/// What ports that are gone have left in the sets of ``Ruleset``. It means nothing any more, but it takes memory: some
/// 200 bytes for each port that there ever was.
enum StaleElements {
    /// One port in so many takes it out.
    static let step: UInt64 = 1024

    private static let fixed = ["guarded", "source4", "source6", "target6", "apart", "asking"]
        .map(PortElements.guardSet)
    private static let rules = ["filtered", "named"].map(PortElements.ruleSet)
    /// Their keys begin with the index turned round.
    private static let ranges = ["out4", "out6", "in4", "in6"].map(PortElements.ruleSet)

    /// - Parameter namespace: the switch's, which `socket` is in, too.
    static func remove(in namespace: Int32, _ socket: borrowing NetlinkSocket) throws(SystemError) {
        let filter = try NetfilterSocket(in: namespace)
        var found: [(set: NetfilterSet, elements: [NetfilterElement])] = []
        for set in fixed + rules + ranges { found.append((set, try elements(of: set, filter))) }
        // After the sets were read: a port is there before what they hold of it.
        let alive = Set(try socket.links().map { $0.index })
        for (set, elements) in found {
            let stale = elements.filter { !alive.contains(index(of: $0, in: set)) }
            for start in stride(from: 0, to: stale.count, by: 64) {
                try delete(Array(stale[start..<min(start + 64, stale.count)]), from: set, filter)
            }
        }
    }

    /// None where there is no such set.
    private static func elements(
        of set: NetfilterSet, _ filter: borrowing NetfilterSocket
    ) throws(SystemError) -> [NetfilterElement] {
        do throws(SystemError) {
            return try filter.elements(of: set)
        } catch {
            if error.code == ENOENT { return [] }
            throw error
        }
    }

    private static func delete(
        _ elements: [NetfilterElement], from set: NetfilterSet, _ filter: borrowing NetfilterSocket
    ) throws(SystemError) {
        do throws(SystemError) {
            try filter.commit([.delete(elements, from: set)])
        } catch {
            // Another command was faster.
            if error.code != ENOENT { throw error }
        }
    }

    private static func index(of element: NetfilterElement, in set: NetfilterSet) -> Int32 {
        if element.key.count < 4 { return 0 }
        let native = element.key.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
        return ranges.contains(set) ? native.bigEndian : native
    }
}
