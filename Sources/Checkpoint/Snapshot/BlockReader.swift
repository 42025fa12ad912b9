import CLinux
import Glibc
import Kernel

/// Shows two blocks of a file after two others, without allocating for each.
struct BlockReader: ~Copyable {
    /// How it comes by them.
    enum Way {
        case copied
        /// A sixth faster. A process that has a file mapped is ended (SIGBUS) when somebody makes it shorter meanwhile: only
        /// for one that may.
        case mapped
    }

    private let file: Int32
    private let name: String
    private let way: Way
    /// The copy, or what is mapped.
    private var memory: UnsafeMutableRawBufferPointer?
    /// Where of the file it begins.
    private var start = 0

    /// Bytes that are mapped at a time, beside those of two blocks that begin in them.
    private static let window = 8 << 20

    init(_ file: Int32, name: String, _ way: Way) {
        (self.file, self.name, self.way) = (file, name, way)
    }

    deinit { BlockReader.release(memory, way) }

    private static func release(_ memory: UnsafeMutableRawBufferPointer?, _ way: Way) {
        guard let memory else { return }
        switch way {
        case .copied: memory.deallocate()
        case .mapped: munmap(memory.baseAddress, memory.count)
        }
    }

    /// The two blocks at a place, a whole number of pages; both must be there. They hold until the next call.
    mutating func pair(at place: Int) throws(SystemError) -> UnsafeRawBufferPointer {
        switch way {
        case .copied: try copy(place)
        case .mapped: try map(place)
        }
    }

    private mutating func copy(_ place: Int) throws(SystemError) -> UnsafeRawBufferPointer {
        let room = memory ?? .allocate(byteCount: FileDigest.pair, alignment: 64)
        memory = room
        var done = 0
        while done < room.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: room[done...])
            let count = try check("read \(name)") {
                Int32(pread(file, rest.baseAddress, rest.count, off_t(place + done)))
            }
            // It has become shorter.
            if count == 0 { throw SystemError("read \(name)", code: EIO) }
            done += Int(count)
        }
        return UnsafeRawBufferPointer(room)
    }

    private mutating func map(_ place: Int) throws(SystemError) -> UnsafeRawBufferPointer {
        if let memory, place >= start, place + FileDigest.pair <= start + memory.count {
            return UnsafeRawBufferPointer(rebasing: memory[(place - start)..<(place - start + FileDigest.pair)])
        }
        BlockReader.release(memory, way)
        memory = nil
        // Beyond the file's end it may be mapped, but not looked at.
        let (first, count) = (place / BlockReader.window * BlockReader.window, BlockReader.window + FileDigest.pair)
        guard let mapped = mmap(nil, count, PROT_READ, MAP_SHARED, file, off_t(first)), mapped != MAP_FAILED else {
            throw SystemError("map \(name)", code: errno)
        }
        memory = UnsafeMutableRawBufferPointer(start: mapped, count: count)
        start = first
        return try map(place)
    }
}
