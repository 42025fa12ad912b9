import Glibc
import Kernel

/// A file of a snapshot's memory, of which each block is checked when it is read: what is given is what was digested.
final class ProvenFile {
    private let file: Descriptor
    private let listed: Manifest.File
    private let folder: String
    private let lines: [UInt8]
    /// Pairs of blocks that were read last, and which they are: two take no longer than one.
    private let memory: UnsafeMutableRawBufferPointer
    private var held: [Int]
    private var next = 0

    private static let slots = 16

    /// - Parameter folder: the snapshot's.
    /// - Throws: when the digests of its blocks are not those that the manifest lists.
    init(_ listed: Manifest.File, in folder: borrowing StateFolder) throws(SnapshotError) {
        self.listed = listed
        self.folder = folder.path
        file = try SnapshotFiles.open(path: listed.path, in: folder)
        lines = try ProvenFile.lines(of: listed, in: folder)
        memory = .allocate(byteCount: ProvenFile.slots * ProvenFile.pair, alignment: 4096)
        held = [Int](repeating: -1, count: ProvenFile.slots)
    }

    deinit { memory.deallocate() }

    private static func lines(
        of listed: Manifest.File, in folder: borrowing StateFolder
    ) throws(SnapshotError) -> [UInt8] {
        if listed.size <= FileDigest.block { return listed.digest.utf8 + [UInt8(ascii: "\n")] }
        guard let name = MemoryDigests.list(of: listed.path) else {
            throw SnapshotError("\(listed.path) has no blocks")
        }
        let path = "\(SnapshotStore.blocks)/\(name)"
        let list = try SnapshotFiles.open(path: path, in: folder)
        let blocks = (listed.size + FileDigest.block - 1) / FileDigest.block
        let lines = try attributed { () throws(SystemError) in
            try readBytes(list.number, name: path, atMost: blocks * FileDigest.line)
        }
        guard lines.count == blocks * FileDigest.line, FileDigest.of(lines) == listed.digest else {
            throw altered(path, in: folder.path)
        }
        return lines
    }

    private static func altered(_ path: String, in folder: String) -> SnapshotError {
        SnapshotError(
            "\(folder)/\(path) has been altered: it is not what the manifest lists", mend: "take another snapshot")
    }

    /// Bytes of a pair.
    private static let pair = 2 * FileDigest.block

    /// Copies bytes of it to where there is room for them.
    /// - Throws: when a block of them is not what it was.
    func copy(_ bytes: Range<Int>, to target: UnsafeMutableRawPointer) throws(SnapshotError) {
        try checkEnd(of: bytes)
        var place = bytes.lowerBound
        while place < bytes.upperBound {
            let number = place / ProvenFile.pair
            let start = number * ProvenFile.pair
            let end = min(bytes.upperBound, start + ProvenFile.pair)
            guard let source = try pair(number).baseAddress else { return }
            memcpy(target + (place - bytes.lowerBound), source + (place - start), end - place)
            place = end
        }
    }

    /// Checks all blocks that have a part of some bytes.
    func check(_ bytes: Range<Int>) throws(SnapshotError) {
        try checkEnd(of: bytes)
        if bytes.isEmpty { return }
        for number in bytes.lowerBound / ProvenFile.pair...(bytes.upperBound - 1) / ProvenFile.pair {
            _ = try pair(number)
        }
    }

    /// Reads what is behind some bytes: it is likely to be asked for next.
    func prefetch(behind bytes: Range<Int>) {
        let number = (bytes.upperBound + ProvenFile.pair - 1) / ProvenFile.pair
        if number * ProvenFile.pair >= listed.size { return }
        // What is wrong with it is told when it is asked for.
        do throws(SnapshotError) { _ = try pair(number) } catch {}
    }

    private func checkEnd(of bytes: Range<Int>) throws(SnapshotError) {
        if bytes.upperBound > listed.size { throw ProvenFile.altered(listed.path, in: folder) }
    }

    private func pair(_ number: Int) throws(SnapshotError) -> UnsafeRawBufferPointer {
        let start = number * ProvenFile.pair
        let size = min(ProvenFile.pair, listed.size - start)
        if let slot = held.firstIndex(of: number) { return bytes(in: slot, size) }
        let slot = next
        next = (next + 1) % ProvenFile.slots
        held[slot] = -1
        let buffer = bytes(in: slot, size)
        var done = 0
        while done < size {
            let count = try attributed { () throws(SystemError) in
                try Kernel.check("read \(folder)/\(listed.path)") {
                    Int32(
                        pread(
                            file.number, memory.baseAddress.map { $0 + slot * ProvenFile.pair + done }, size - done,
                            off_t(start + done)))
                }
            }
            if count == 0 { throw ProvenFile.altered(listed.path, in: folder) }
            done += Int(count)
        }
        let found = FileDigest.lines(of: buffer)
        let expected = lines[(number * 2 * FileDigest.line)...].prefix(found.count)
        guard expected.elementsEqual(found) else { throw ProvenFile.altered(listed.path, in: folder) }
        held[slot] = number
        return buffer
    }

    private func bytes(in slot: Int, _ size: Int) -> UnsafeRawBufferPointer {
        let start = slot * ProvenFile.pair
        return UnsafeRawBufferPointer(rebasing: memory[start..<start + size])
    }
}
