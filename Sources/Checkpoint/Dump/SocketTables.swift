import Addresses
import Glibc
public import Kernel

/// The sockets of a network namespace, as its tables in /proc tell. To read them takes milliseconds however few there
/// are, so that it is done before the application stands still, and again only when it has opened others since.
public final class SocketTables {
    private let root: Int32
    private var texts: [(kind: String, text: String)] = []
    private var known: Set<UInt64> = []

    private static let kinds = ["tcp", "tcp6", "udp", "udp6", "unix"]

    /// Those of a process of the caller's /proc.
    public init(of root: Int32) { self.root = root }

    /// Reads the tables.
    public func read() throws(SystemError) {
        (texts, known) = ([], [])
        for kind in SocketTables.kinds {
            let text = try SocketTables.table("/proc/\(root)/net/\(kind)")
            texts.append((kind, text))
            known.formUnion(SocketTable.inodes(in: text, kind))
        }
    }

    /// A kernel without IPv6 has no table of it.
    static func table(_ path: String) throws(SystemError) -> String {
        do throws(SystemError) { return try readText(path) } catch {
            if error.code == ENOENT { return "" }
            throw error
        }
    }

    /// Those that processes have open; the processes stand still.
    /// - Parameter owners: process ids by inode.
    func owned(by owners: [UInt64: Int]) throws(SystemError) -> [Manifest.Socket] {
        // One of another kind, a netlink socket say, is in no table.
        if !owners.keys.allSatisfy({ known.contains($0) }) { try read() }
        return texts.flatMap { kind, text in
            kind == "unix" ? SocketTable.localSockets(in: text, owners) : SocketTable.sockets(in: text, kind, owners)
        }
    }
}

/// /proc/net/tcp and its like (proc_pid_net(5)).
enum SocketTable {
    private static let states = [
        "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
        "LAST_ACK", "LISTEN", "CLOSING",
    ]

    static func sockets(in text: String, _ kind: String, _ owners: [UInt64: Int]) -> [Manifest.Socket] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 9, let local = place(words[1]), let remote = place(words[2]),
                let state = Int(words[3], radix: 16), let inode = UInt64(words[9])
            else { return nil }
            // Without a network namespace the table has others' sockets too.
            guard let owner = owners[inode] else { return nil }
            let name = kind.hasPrefix("tcp") && states.indices.contains(state) ? states[state] : ""
            return Manifest.Socket(kind: kind, local: local, remote: remote, state: name, pid: owner)
        }
    }

    /// The inodes of a table's sockets.
    static func inodes(in text: String, _ kind: String) -> Set<UInt64> {
        let column = kind == "unix" ? 6 : 9
        return Set(
            text.split(separator: "\n").dropFirst().compactMap { line in
                let words = line.split(separator: " ", maxSplits: column + 1)
                return words.count > column ? UInt64(words[column]) : nil
            })
    }

    /// /proc/net/unix: number, count, protocol, flags, type, state, inode and, where it has one, a path.
    static func localSockets(in text: String, _ owners: [UInt64: Int]) -> [Manifest.Socket] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ", maxSplits: 7)
            guard words.count > 6, let inode = UInt64(words[6]), let owner = owners[inode] else { return nil }
            // __SO_ACCEPTCON, SS_CONNECTED
            let state = words[3] == "00010000" ? "LISTEN" : words[5] == "03" ? "CONNECTED" : ""
            let path = words.count > 7 ? String(words[7]) : ""
            return Manifest.Socket(kind: "unix", local: path, remote: "", state: state, pid: owner)
        }
    }

    /// `0100007F:1F90`: words of the host's byte order, and a port.
    private static func place(_ text: Substring) -> String? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16), parts[0].utf8.count % 8 == 0 else { return nil }
        var bytes: [UInt8] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            withUnsafeBytes(of: word) { bytes += $0 }
            rest = rest.dropFirst(8)
        }
        guard let address = IPAddress(bytes: bytes[...]) else { return nil }
        return bytes.count == 4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
