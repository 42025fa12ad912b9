extension BoxFacts {
    /// All that is in the way of saving the box: of the whole first, then process by process.
    public var blockers: [Blocker] {
        ofBox + processes.flatMap { ofProcess($0) + $0.files.compactMap { [process = $0] in ofFile($0, process) } }
    }

    private static let enable = "start it with checkpoint.enabled = true"
    /// Mends what seccomp keeps from programs.
    private static let refuse =
        "start it with checkpoint.enabled = true, which refuses that, so that programs do without"

    private var ofBox: [Blocker] {
        var found: [Blocker] = []
        if hasInit { found.append(Blocker("sandbox's own init", "CRIU cannot save it", mend: Self.enable)) }
        if !isAttended {
            found.append(
                Blocker("the foreground", "its starter would be left without it", mend: "start it with run -d"))
        }
        if hasLandlock {
            found.append(
                Blocker(
                    "Landlock", "a restored application would be without its rules",
                    mend: "take out filesystem.landlock and security.landlock"))
        }
        for key in unsupported {
            found.append(Blocker(key, "a restore does not bring that back yet", mend: "take \(key) out"))
        }
        if let root = processes.first, root.namespaces["pid"] == host["pid"] {
            found.append(
                Blocker("no pid namespace", "its process ids may be taken when it comes back", mend: Self.enable))
        }
        if sharesConnections {
            found.append(
                Blocker(
                    "TCP connections on the host's network", "their other ends would be told that they are closed",
                    mend: "namespaces.unshare = [\"net\"] with network.switch, or --tcp close"))
        }
        for pid in strangers {
            found.append(
                Blocker(
                    "a command of 'sandbox exec'", "it would end with the rest and not come back",
                    mend: "wait for it, or end it", pid: pid))
        }
        return found
    }

    private func ofProcess(_ process: ProcessFacts) -> [Blocker] {
        var found: [Blocker] = []
        func add(_ subject: String, _ reason: String, _ mend: String) {
            found.append(Blocker(subject, reason, mend: mend, pid: process.pid))
        }
        let root = processes.first?.namespaces ?? [:]
        if process.session == 0 {
            add("session", "its leader is outside the sandbox", "start it with -d")
        }
        if process.tracer != 0 {
            add("traced by process \(process.tracer)", "CRIU has to trace it itself", "end the debugger or strace")
        }
        for kind in ["pid", "user", "ipc", "uts", "cgroup", "time"] where process.namespaces[kind] != root[kind] {
            add("a \(kind) namespace of its own", "CRIU cannot save nested ones", Self.refuse)
        }
        if process.uid != 0, !reachesLimits, process.namespaces["user"] == host["user"] {
            add(
                "user \(process.uid)", "without CAP_SYS_RESOURCE its limits cannot be read",
                "add \"user\" to namespaces.unshare, or save it with that capability")
        }
        for name in process.maps {
            if !name.hasPrefix("/SYSV") {
                add("memory \(name)", "CRIU cannot save it", Self.refuse)
            } else if process.namespaces["ipc"] == host["ipc"] {
                add("memory \(name)", "it belongs to the host's ipc namespace", "add \"ipc\" to namespaces.unshare")
            }
        }
        return found
    }

    private func ofFile(_ file: OpenFile, _ process: ProcessFacts) -> Blocker? {
        guard let (reason, mend) = objection(to: file, process) else { return nil }
        return Blocker(subject(of: file), reason, mend: mend, pid: process.pid, descriptor: file.number)
    }

    private func subject(of file: OpenFile) -> String {
        if let path = outsidePeer(of: file), !path.isEmpty { return "\(file.target) to \(path)" }
        return file.protocol.isEmpty ? file.target : "\(file.target) (\(file.protocol))"
    }

    private func objection(to file: OpenFile, _ process: ProcessFacts) -> (reason: String, mend: String)? {
        switch file.kind {
        case .queue: return ("CRIU cannot save a POSIX message queue", Self.refuse)
        case .socket: return objection(toSocket: file)
        case .device: return objection(toDevice: file, process)
        case .other: return objection(toAnonymous: file, process)
        case .file:
            if file.target.hasPrefix("/secretmem") { return ("CRIU cannot save secret memory", Self.refuse) }
            return objection(toOutside: file, process)
        }
    }

    /// What CRIU knows of files without a name (anon_inode).
    private static let saved = ["eventfd", "eventpoll", "signalfd", "timerfd", "inotify", "fanotify", "pidfd"]

    private func objection(toAnonymous file: OpenFile, _ process: ProcessFacts) -> (reason: String, mend: String)? {
        guard file.target.hasPrefix("anon_inode:") else { return nil }
        let name = file.target.dropFirst(11).filter { $0 != "[" && $0 != "]" }
        if name == "inotify", process.hasPlainOverlay {
            return ("files of an overlay without handles cannot be found again", Self.enable)
        }
        return Self.saved.contains(name) ? nil : ("CRIU cannot save \(name)", Self.refuse)
    }

    private func objection(toOutside file: OpenFile, _ process: ProcessFacts) -> (reason: String, mend: String)? {
        guard file.target.hasPrefix("/"), !file.target.hasPrefix("/memfd:"), !reconnected.contains(file.target),
            let mount = file.mount, !process.mounts.contains(mount)
        else { return nil }
        return ("it was opened outside the sandbox", "open it inside, or close it before the start")
    }

    private func objection(toDevice file: OpenFile, _ process: ProcessFacts) -> (reason: String, mend: String)? {
        let target = file.target
        let isOutside = file.mount.map { !process.mounts.contains($0) } ?? false
        if isTerminal(target), isOutside {
            return ("it is a terminal of the host", "start it with -d, without -t")
        }
        if target == "/dev/net/tun" { return ("a TUN device would not come back", "use network.switch") }
        if target == "/dev/fuse" { return ("CRIU cannot save a FUSE server", "serve the filesystem outside") }
        let plain = ["null", "zero", "full", "random", "urandom", "ptmx", "kmsg", "pts/ptmx"]
        if plain.contains(where: { target == "/dev/" + $0 }) || isTerminal(target) {
            return objection(toOutside: file, process)
        }
        return ("CRIU cannot save a device's state", "filesystem.private = [\"dev\"] keeps devices out")
    }

    private func isTerminal(_ path: String) -> Bool {
        path.hasPrefix("/dev/pts/") && path != "/dev/pts/ptmx" || path.hasPrefix("/dev/tty") || path == "/dev/console"
    }

    private func objection(toSocket file: OpenFile) -> (reason: String, mend: String)? {
        if file.protocol == "MPTCP" || file.protocol == "AF_VSOCK" {
            return ("CRIU cannot save \(file.protocol)", Self.refuse)
        }
        if !file.protocol.isEmpty, file.protocol != "UNIX" {
            return ("CRIU cannot save sockets of \(file.protocol)", "have the program use TCP, UDP or UNIX sockets")
        }
        guard let path = outsidePeer(of: file) else { return nil }
        if path.contains("/.X11-unix/") {
            return ("its X server is outside the sandbox", "run the X server inside (Xvfb, Xvnc)")
        }
        return (
            "its other end is outside the sandbox", "run the server inside, or filesystem.hide its socket"
        )
    }

    /// The path of a UNIX socket's other end where no process of the box holds it: empty where it is not known.
    private func outsidePeer(of file: OpenFile) -> String? {
        guard let inode = file.inode, let peer = peers[inode], peer != 0 else { return nil }
        let isInside = processes.contains { $0.files.contains { $0.inode == peer } }
        return isInside ? nil : hostSockets[peer] ?? ""
    }
}
