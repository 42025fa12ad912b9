import CLinux
import Glibc
import Kernel

/// Answers `criu lazy-pages` in the place of another host's CRIU: each page that is asked for is read from the snapshot in
/// a block that is checked first. What has been altered is never given: the conversation ends, and so does the box.
struct PageServer {
    private let pages: LatePages
    private let socket: Int32
    private var files: [String: ProvenFile] = [:]

    /// `struct page_server_iov` of CRIU 4.2 (page-xfer.c): a command, a count of pages, an address, a process; 8 bytes
    /// each.
    private struct Message {
        static let size = 32
        var command: UInt32
        var count: UInt64
        var address: UInt64
        var process: UInt64
    }

    private enum Command {
        static let get: UInt32 = 7
        /// Pages that are there, in the higher half.
        static let add: UInt32 = 6 | 4 << 16
        static let close: UInt32 = 0x1023
        static let closeNow: UInt32 = 0x1024
    }

    /// Bytes of one answer at most.
    private static let limit = 4 << 20

    /// - Parameter socket: this side of the conversation.
    /// - Parameter complaint: where is written why it ended before its time.
    static func run(_ pages: LatePages, _ socket: Int32, complaint: Int32) -> Never {
        var server = PageServer(pages: pages, socket: socket)
        do throws(SnapshotError) {
            try server.serve()
        } catch {
            let bytes = Array(error.message.utf8.prefix(4000))
            _ = write(complaint, bytes, bytes.count)
            _exit(1)
        }
        _exit(0)
    }

    private init(pages: LatePages, socket: Int32) { (self.pages, self.socket) = (pages, socket) }

    private mutating func serve() throws(SnapshotError) {
        let folder = try attributed { () throws(SystemError) in try StateFolder(existing: pages.snapshot.path) }
        let answer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Message.size + PageServer.limit, alignment: 4096)
        defer { answer.deallocate() }
        while let message = try hear() {
            switch message.command & 0xffff {
            case Command.get: try give(message, folder, answer)
            case Command.close, Command.closeNow:
                var status: Int32 = 0
                return try withUnsafeBytes(of: &status) { bytes throws(SnapshotError) in try say(bytes) }
            default: throw SnapshotError("CRIU asks for pages with command \(message.command), which is not known")
            }
        }
    }

    private mutating func give(
        _ message: Message, _ folder: borrowing StateFolder, _ answer: UnsafeMutableRawBufferPointer
    ) throws(SnapshotError) {
        let count = min(message.count, UInt64(PageServer.limit / PageMap.page))
        guard let place = pages.maps[message.process]?.place(of: message.address, count) else {
            throw SnapshotError("CRIU asks for a page that the snapshot does not have")
        }
        let (path, bytes) = (place.file, place.bytes)
        if files[path] == nil {
            guard let listed = pages.listed(path) else { throw SnapshotError("\(path) is none of its files") }
            files[path] = try ProvenFile(listed, in: folder)
        }
        guard let file = files[path], let start = answer.baseAddress else { return }
        try file.copy(bytes, to: start + Message.size)
        answer.storeBytes(of: Command.add, as: UInt32.self)
        answer.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
        answer.storeBytes(of: UInt64(bytes.count / PageMap.page), toByteOffset: 8, as: UInt64.self)
        answer.storeBytes(of: message.address, toByteOffset: 16, as: UInt64.self)
        answer.storeBytes(of: message.process, toByteOffset: 24, as: UInt64.self)
        try say(UnsafeRawBufferPointer(rebasing: answer[..<(Message.size + bytes.count)]))
        var wait = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        if poll(&wait, 1, 0) == 0 { file.prefetch(behind: bytes) }
    }

    /// - Returns: `nil` when the other side is gone.
    private func hear() throws(SnapshotError) -> Message? {
        var bytes = [UInt8](repeating: 0, count: Message.size)
        let count = try attributed { () throws(SystemError) in
            try check("hear from CRIU") { Int32(recv(socket, &bytes, bytes.count, Int32(MSG_WAITALL))) }
        }
        if Int(count) < Message.size { return nil }
        return bytes.withUnsafeBytes { bytes in
            Message(
                command: bytes.load(as: UInt32.self), count: bytes.load(fromByteOffset: 8, as: UInt64.self),
                address: bytes.load(fromByteOffset: 16, as: UInt64.self),
                process: bytes.load(fromByteOffset: 24, as: UInt64.self))
        }
    }

    private func say(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
        var done = 0
        while done < bytes.count {
            let count = try attributed { () throws(SystemError) in
                try check("give pages to CRIU") {
                    Int32(send(socket, bytes.baseAddress.map { $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL)))
                }
            }
            done += Int(count)
        }
    }
}
