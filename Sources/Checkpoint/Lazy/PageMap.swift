import Glibc

/// Where an image has a process's memory (CRIU's `pagemap-*.img`: two magic numbers, then messages behind their lengths).
struct PageMap: Sendable, Equatable {
    /// Pages that follow each other in memory and in the file.
    struct Range: Sendable, Equatable {
        /// The address of the first.
        var start: UInt64
        var pages: Int
        /// Of the first in the file, bytes.
        var offset: Int
        /// Whether they can be brought in once the process goes on.
        var isLate: Bool

        var end: UInt64 { start + UInt64(pages * PageMap.page) }
        /// Bytes in the file.
        var bytes: Swift.Range<Int> { offset..<offset + pages * PageMap.page }
    }

    /// Bytes.
    static let page = max(4096, sysconf(Int32(_SC_PAGESIZE)))

    /// The file's name.
    let file: String
    /// In the order of their addresses.
    let ranges: [Range]

    private static let magic: [UInt8] = [0x19, 0x43, 0x56, 0x54, 0x25, 0x40, 0x08, 0x56]
    /// Of `pagemap_entry` (pagemap.proto), and of its flags.
    private static let (address, count, inParent, flags, largeCount) = (1, 2, 3, 4, 5)
    private static let (parent, late, present): (UInt64, UInt64, UInt64) = (1, 2, 4)

    /// - Parameter image: its bytes.
    /// - Returns: `nil` for what is none, and for one that adds to another snapshot's.
    init?(_ image: [UInt8]) {
        guard image.starts(with: PageMap.magic) else { return nil }
        var rest = image[PageMap.magic.count...]
        guard let head = PageMap.next(&rest), let number = head.number(PageMap.address) else { return nil }
        file = "pages-\(number).img"
        var ranges: [Range] = []
        var offset = 0
        while !rest.isEmpty {
            guard let entry = PageMap.next(&rest), let start = entry.number(PageMap.address),
                let pages = entry.number(PageMap.largeCount) ?? entry.number(PageMap.count), pages < 1 << 40,
                start >= ranges.last?.end ?? 0, start < 1 << 63
            else { return nil }
            let flags = entry.number(PageMap.flags) ?? PageMap.present
            if entry.number(PageMap.inParent) ?? 0 != 0 || flags & PageMap.parent != 0 { return nil }
            if flags & PageMap.present == 0 { continue }
            let isLate = flags & PageMap.late != 0
            ranges.append(Range(start: start, pages: Int(pages), offset: offset, isLate: isLate))
            offset += Int(pages) * PageMap.page
        }
        self.ranges = ranges
    }

    private static func next(_ rest: inout ArraySlice<UInt8>) -> WireMessage? {
        guard rest.count >= 4 else { return nil }
        let size = Int(rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        rest = rest.dropFirst(4)
        guard size <= rest.count, let message = WireMessage(rest.prefix(size)) else { return nil }
        rest = rest.dropFirst(size)
        return message
    }

    /// Where the file has pages from an address on.
    /// - Parameter count: how many at most.
    /// - Returns: bytes of the file; `nil` where it does not have the first.
    func place(of address: UInt64, _ count: UInt64) -> Swift.Range<Int>? {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].end <= address { low = middle + 1 } else { high = middle }
        }
        guard low < ranges.count, ranges[low].start <= address, count > 0 else { return nil }
        let range = ranges[low]
        let skipped = Int(address - range.start) / PageMap.page
        let pages = Int(min(count, UInt64(range.pages - skipped)))
        let start = range.offset + skipped * PageMap.page
        return start..<start + pages * PageMap.page
    }
}
