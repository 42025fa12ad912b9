import Glibc
import Kernel

/// A place in a sandbox's output: in log TURN % 2 of a ring, in the one log where there is no ring.
public struct OutputPlace: Sendable, Comparable {
    /// How often the log has changed files.
    public var turn: UInt64
    /// Bytes from the beginning of that log.
    public var offset: UInt64

    /// A place; the beginning where nothing is given.
    public init(turn: UInt64 = 0, offset: UInt64 = 0) {
        self.turn = turn
        self.offset = offset
    }

    /// Whether one is before the other.
    public static func < (one: OutputPlace, other: OutputPlace) -> Bool {
        one.turn == other.turn ? one.offset < other.offset : one.turn < other.turn
    }
}

/// A line of log.marks: what follows the place was written after that time.
struct OutputMark: Equatable {
    /// Milliseconds since the epoch.
    var time: Int
    var place: OutputPlace

    var line: String { "\(time) \(place.turn) \(place.offset)\n" }

    init(time: Int, place: OutputPlace) {
        self.time = time
        self.place = place
    }

    /// The opposite of ``line``, without its end; `nil` for what is none.
    init?(_ line: some Collection<UInt8>) {
        var numbers: [UInt64] = [0]
        for byte in line {
            if byte == UInt8(ascii: " ") {
                numbers.append(0)
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let last = numbers[numbers.count - 1]
            guard last < 1 << 59 else { return nil }
            numbers[numbers.count - 1] = last * 10 + UInt64(byte - UInt8(ascii: "0"))
        }
        guard numbers.count == 3 else { return nil }
        self.init(time: Int(numbers[0]), place: OutputPlace(turn: numbers[1], offset: numbers[2]))
    }
}

/// Marks from the newest to the oldest.
struct OutputMarks {
    private let file: Int32
    /// Bytes of the file that were not looked at yet.
    private var left: Int
    /// Lines of the block read last, without what may be the end of a line of the block before.
    private var block: [UInt8] = []

    /// - Parameter file: stays the caller's.
    init(_ file: Int32) throws(SystemError) {
        self.file = file
        left = try FileStatus(file, name: File.marks).size
    }

    /// The next older one; `nil` when there is none.
    mutating func next() throws(SystemError) -> OutputMark? {
        while true {
            guard let start = try lineStart() else { return nil }
            let line = block[start...]
            let mark = line.last == UInt8(ascii: "\n") ? OutputMark(line.dropLast()) : nil
            block.removeSubrange(start...)
            // What is being written, or was written when the disk was full, is none.
            if let mark { return mark }
        }
    }

    /// Where the last line in the block begins.
    private mutating func lineStart() throws(SystemError) -> Int? {
        while true {
            var index = block.count - 1
            while index > 0, block[index - 1] != UInt8(ascii: "\n") { index -= 1 }
            if index > 0 || (left == 0 && index == 0) { return index }
            if left == 0 { return nil }
            let size = min(left, 4096)
            left -= size
            block = try readBytes(file, at: left, count: size, name: File.marks) + block
        }
    }
}

/// Bytes of an open file, fewer where it ends before (pread(2)).
func readBytes(_ file: Int32, at offset: Int, count: Int, name: String) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = try check("read \(name)") { Int32(pread(file, &bytes, count, offset)) }
    bytes.removeLast(count - Int(read))
    return bytes
}
