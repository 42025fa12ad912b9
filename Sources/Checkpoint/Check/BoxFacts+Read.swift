import CLinux
import Glibc
import Kernel
public import Launch
import Netlink

extension BoxFacts {
    /// Reads those of the processes from `root` on. What ends meanwhile is left out.
    ///
    /// - Parameter members: all processes of the box's control group.
    public init(root: Int32, members: [Int32] = []) throws(LaunchError) {
        self.init()
        do throws(SystemError) {
            host = namespaces(of: "self")
            reachesLimits = try ProcessStatus.current().capabilities.effective.contains(Capability(number: 24))
            let tree = try processTree(of: root)
            for pid in tree {
                if let facts = try ProcessFacts(reading: pid) { processes.append(facts) }
            }
            for pid in members where !tree.contains(pid) && isInside(pid) { strangers.append(pid) }
            sharesConnections = try hasConnectionsOnHost()
            if processes.contains(where: { $0.files.contains { $0.protocol == "UNIX" } }) {
                let network = try Descriptor(open: "/proc/\(root)/ns/net", O_RDONLY)
                peers = try unixSocketPeers(in: network.number)
                hostSockets = pathsOfSockets(try readText("/proc/net/unix"))
            }
        } catch {
            throw LaunchError(error)
        }
    }

    private func hasConnectionsOnHost() throws(SystemError) -> Bool {
        guard let root = processes.first, root.namespaces["net"] == host["net"] else { return false }
        var owners: [UInt64: Int] = [:]
        for process in processes {
            for file in process.files { if let inode = file.inode { owners[UInt64(inode)] = Int(process.pid) } }
        }
        if owners.isEmpty { return false }
        for kind in ["tcp", "tcp6"] {
            let sockets = SocketTable.sockets(in: try SocketTables.table("/proc/net/\(kind)"), kind, owners)
            if sockets.contains(where: { $0.state == "ESTABLISHED" && $0.pid != 0 }) { return true }
        }
        return false
    }

    /// Whether it sees the box's processes: ours that wait for one do not.
    private func isInside(_ pid: Int32) -> Bool {
        guard let own = processes.first?.namespaces["pid"], own != host["pid"] else { return false }
        return linkTarget("/proc/\(pid)/ns/pid") == own
    }
}

/// Inodes and paths in /proc/net/unix.
func pathsOfSockets(_ text: String) -> [UInt32: String] {
    var paths: [UInt32: String] = [:]
    for line in text.split(separator: "\n").dropFirst() {
        let words = line.split(separator: " ", maxSplits: 7)
        if words.count == 8, let inode = UInt32(words[6]) { paths[inode] = String(words[7]) }
    }
    return paths
}

private func namespaces(of process: String) -> [String: String] {
    var found: [String: String] = [:]
    for kind in ["pid", "user", "ipc", "uts", "cgroup", "time", "net"] {
        found[kind] = linkTarget("/proc/\(process)/ns/\(kind)")
    }
    return found
}

extension ProcessFacts {
    /// `nil` for one that has ended.
    init?(reading pid: Int32) throws(SystemError) {
        self.init(pid: pid)
        do throws(SystemError) {
            let status = try readText("/proc/\(pid)/status")
            guard !status.contains("\nState:\tZ") else { return nil }
            take(status: status)
            take(mounts: try readText("/proc/\(pid)/mountinfo"))
            take(maps: try readText("/proc/\(pid)/maps"))
            for number in try descriptorNumbers(of: pid) {
                if let file = try OpenFile(reading: number, of: pid) { files.append(file) }
            }
        } catch {
            // EINVAL: one that waits for its parent to hear of its end has no mount namespace any more.
            if error.code == ENOENT || error.code == ESRCH || error.code == EINVAL { return nil }
            throw error
        }
        namespaces = Checkpoint.namespaces(of: "\(pid)")
        // They go together, before the process does, and this one is read last.
        if namespaces["net"] == nil { return nil }
    }

    mutating func take(status: String) {
        for line in status.split(separator: "\n") {
            let words = line.split { $0 == "\t" || $0 == " " }
            guard words.count > 1, let last = words.last else { continue }
            switch words[0] {
            case "Name:": name = String(words[1])
            case "Uid:": uid = UInt32(words[1]) ?? 0
            case "TracerPid:": tracer = Int32(last) ?? 0
            case "NSsid:": session = Int32(last) ?? 0
            default: break
            }
        }
    }

    /// /proc/PID/mountinfo (proc_pid_mountinfo(5)).
    mutating func take(mounts text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 4, let id = Int(words[0]) else { continue }
            mounts.insert(id)
            guard words[4] == "/", let dash = words.firstIndex(of: "-"), dash + 3 < words.count else { continue }
            // Of mounts on one place the last is what is seen.
            hasPlainOverlay = words[dash + 1] == "overlay" && !words[dash + 3].contains("nfs_export=on")
        }
    }

    mutating func take(maps text: String) {
        for line in text.split(separator: "\n") where line.contains("secretmem") || line.contains("/SYSV") {
            guard let name = line.split(separator: " ", maxSplits: 5).last.map({ String($0) }) else { continue }
            if !maps.contains(name) { maps.append(name) }
        }
    }
}

extension OpenFile {
    /// `nil` for one that was closed meanwhile.
    init?(reading number: Int32, of pid: Int32) throws(SystemError) {
        let path = "/proc/\(pid)/fd/\(number)"
        guard let target = linkTarget(path) else { return nil }
        self.init(number, .other, target)
        if target.hasPrefix("socket:[") {
            kind = .socket
            `protocol` = protocolName(ofSocket: number, of: pid)
            return
        }
        guard let status = FileStatus(path: path) else { return }
        switch status.kind {
        case .file, .directory: kind = .file
        case .characterDevice: kind = .device
        default: return
        }
        var system = statfs()
        // MQUEUE_MAGIC.
        if kind == .file, statfs(path, &system) == 0, system.f_type == 0x1980_0202 { kind = .queue }
        mount = try mountID(ofDescriptor: number, of: pid)
    }
}

/// `UNIX`, or a name for what CRIU does not know; empty for all others, and where the socket cannot be asked: then nothing
/// is said of it.
private func protocolName(ofSocket number: Int32, of pid: Int32) -> String {
    let process = linux_pidfd_open(pid, 0)
    guard process >= 0 else { return "" }
    defer { close(process) }
    let copy = linux_pidfd_getfd(process, number)
    guard copy >= 0 else { return "" }
    defer { close(copy) }
    guard let family = option(SO_DOMAIN, of: copy) else { return "" }
    return protocolName(family: family, option(SO_PROTOCOL, of: copy) ?? 0)
}

/// By numbers of socket(2).
func protocolName(family: Int32, _ number: Int32) -> String {
    switch family {
    case AF_UNIX: return "UNIX"
    case AF_INET, AF_INET6:
        switch number {
        case 132: return "SCTP"
        case 262: return "MPTCP"
        default: return ""
        }
    case AF_PACKET, AF_NETLINK: return ""
    case 38: return "AF_ALG"
    case 40: return "AF_VSOCK"
    case 44: return "AF_XDP"
    default: return "family \(family)"
    }
}

private func option(_ name: Int32, of socket: Int32) -> Int32? {
    var (value, size) = (Int32(0), socklen_t(4))
    return getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
}
