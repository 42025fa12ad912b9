import Glibc

/// Where an image has a process's memory (CRIU's `pagemap-*.img`: two magic numbers, then messages behind their lengths).
struct PageMap: Sendable, Equatable {
    /// Pages that follow each other in memory and in a file.
    struct Range: Sendable, Equatable {
        /// The address of the first.
        var start: UInt64
        var pages: Int
        /// The file's path within the snapshot.
        var file: String
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

    /// The path within the snapshot of the file that the image is of.
    let file: String
    /// In the order of their addresses.
    let ranges: [Range]
    /// The same image for a CRIU that has the pages of copies before brought in late as well; `nil` where there are none.
    let rewritten: [UInt8]?

    private static let magic: [UInt8] = [0x19, 0x43, 0x56, 0x54, 0x25, 0x40, 0x08, 0x56]
    /// Of `pagemap_entry` (pagemap.proto), and of its flags.
    private static let (address, count, inParent, flags, largeCount) = (1, 2, 3, 4, 5)
    private static let (parent, late, present): (UInt64, UInt64, UInt64) = (1, 2, 4)

    /// - Parameter image: its bytes.
    /// - Parameter folder: where in the snapshot it is.
    /// - Parameter before: of the copy that it adds to.
    /// - Returns: `nil` for what is none, and for one that adds to what is not there.
    init?(_ image: [UInt8], in folder: String = SnapshotStore.images, before: PageMap? = nil) {
        guard image.starts(with: PageMap.magic) else { return nil }
        var rest = image[PageMap.magic.count...]
        guard let head = PageMap.next(&rest), let number = head.number(PageMap.address) else { return nil }
        file = "\(folder)/pages-\(number).img"
        var ranges: [Range] = []
        var offset = 0
        var written = PageMap.magic + PageMap.framed(head)
        var isRewritten = false
        while !rest.isEmpty {
            guard let entry = PageMap.next(&rest), let start = entry.number(PageMap.address),
                let pages = entry.number(PageMap.largeCount) ?? entry.number(PageMap.count), pages < 1 << 40,
                start >= ranges.last?.end ?? 0, start < 1 << 63
            else { return nil }
            let flags = entry.number(PageMap.flags) ?? PageMap.present
            if entry.number(PageMap.inParent) ?? 0 != 0 || flags & PageMap.parent != 0 {
                guard let pieces = before?.pieces(from: start, Int(pages)) else { return nil }
                ranges += pieces
                written += pieces.flatMap { PageMap.framed(PageMap.entry($0, like: entry)) }
                isRewritten = true
                continue
            }
            written += PageMap.framed(entry)
            if flags & PageMap.present == 0 { continue }
            let isLate = flags & PageMap.late != 0
            ranges.append(Range(start: start, pages: Int(pages), file: file, offset: offset, isLate: isLate))
            offset += Int(pages) * PageMap.page
        }
        self.ranges = ranges
        rewritten = isRewritten ? written : nil
    }

    /// An entry for pages of a copy before: they come late without being in the image's own file, as those of another host
    /// do, or CRIU looks for them in the copies.
    private static func entry(_ range: Range, like other: WireMessage) -> WireMessage {
        var entry = other
        entry.set(address, [range.start])
        entry.set(count, [UInt64(UInt32(truncatingIfNeeded: range.pages))])
        entry.set(inParent, [])
        entry.set(flags, [range.isLate ? late : parent])
        entry.set(largeCount, [UInt64(range.pages)])
        return entry
    }

    private static func framed(_ message: WireMessage) -> [UInt8] {
        let bytes = message.encoded
        return [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: bytes.count >> $0) } + bytes
    }

    private static func next(_ rest: inout ArraySlice<UInt8>) -> WireMessage? {
        guard rest.count >= 4 else { return nil }
        let size = Int(rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        rest = rest.dropFirst(4)
        guard size <= rest.count, let message = WireMessage(rest.prefix(size)) else { return nil }
        rest = rest.dropFirst(size)
        return message
    }

    /// Where pages are from an address on, which follow each other in one file.
    /// - Parameter count: how many at most.
    /// - Returns: `nil` where the first is nowhere.
    func place(of address: UInt64, _ count: UInt64) -> Range? {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].end <= address { low = middle + 1 } else { high = middle }
        }
        guard low < ranges.count, ranges[low].start <= address, count > 0 else { return nil }
        var range = ranges[low]
        let skipped = Int(address - range.start) / PageMap.page
        range.start = address
        range.offset += skipped * PageMap.page
        range.pages = Int(min(count, UInt64(range.pages - skipped)))
        return range
    }

    /// Where all of so many pages are; `nil` where one is nowhere.
    private func pieces(from start: UInt64, _ count: Int) -> [Range]? {
        var pieces: [Range] = []
        var (address, left) = (start, count)
        while left > 0 {
            guard let piece = place(of: address, UInt64(left)) else { return nil }
            pieces.append(piece)
            left -= piece.pages
            address = piece.end
        }
        return pieces
    }
}
