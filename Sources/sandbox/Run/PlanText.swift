import Launch
import Profile
import SandboxKit

/// A plan as `--dry-run` prints it.
extension LaunchPlan {
    func text(width: Int, style: Style) -> String {
        var text = ""
        for (label, lines) in sections where !lines.isEmpty {
            text += style.bold(label) + "\n"
            for line in lines { text += "  " + wrapped(printable(line), width: width - 4, indent: 4) + "\n" }
        }
        return text
    }

    /// In the order in which the launch does them.
    private var sections: [(label: String, lines: [String])] {
        [
            ("Command", [command.map(quotedWord).joined(separator: " "), supervision.sentence]),
            ("Namespaces", namespaces.lines), ("Filesystem", filesystem.lines), ("Process", processLines),
            ("Limits", limitLines), ("Security", security.lines(process)), ("Resources", resources.lines),
            ("Interfaces", interfaces.map { $0.line }),
            ("Display", (display.map { [$0.line] } ?? []) + (hostDisplay.map { [$0.line] } ?? [])),
            ("D-Bus", bus?.links.map { $0.line } ?? []),
            ("Checkpoint", checkpointLines),
            ("Environment", [environment.map(variableName).joined(separator: " ")].filter { !$0.isEmpty }),
        ]
    }

    private var checkpointLines: [String] {
        guard isCheckpointable else { return [] }
        var lines = [
            "refused, since no snapshot can hold them: io_uring, userfaultfd, secret memory, performance counters, BPF, "
                + "message queues, vsock, MPTCP, namespaces inside other than of mounts and networks",
            "TCP connections " + (savedConnections == .close ? "are closed" : "go on after a restore"),
        ]
        if isCopiedBefore { lines.append("memory is copied before a save or a move while it runs") }
        if detachment == nil { lines.append("in the foreground it cannot be saved: -d detaches it") }
        return lines
    }

    private var processLines: [String] {
        var lines: [String] = []
        if let name { lines.append("name \(name)") }
        if let user = process.user { lines.append("user \(user)") }
        if let group = process.group { lines.append("group \(group)") }
        if let groups = process.groups {
            lines.append("groups \(groups.isEmpty ? "none" : groups.joined(separator: ", "))")
        }
        if let workingDirectory { lines.append("working directory \(workingDirectory)") }
        if let hostname = process.hostname { lines.append("host name \(hostname)") }
        switch process.terminal {
        case .pty: lines.append("a pseudo-terminal of its own")
        case .none: lines.append("no terminal")
        case .auto, .inherit:
            if guardsTerminal { lines.append("the caller's terminal, guarded against typing into it") }
        }
        if process.dieWithParent { lines.append("ends with its parent") }
        if !process.keepDescriptors.isEmpty {
            lines.append("keeps descriptors " + process.keepDescriptors.map { "\($0)" }.joined(separator: ", "))
        }
        return lines
    }

    private var limitLines: [String] {
        limits.entries.map { name, limit in
            func bound(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "unlimited" }
            return "\(name) \(bound(limit.soft)), at most \(bound(limit.hard))"
        }
    }
}

extension HostDisplayPlan {
    fileprivate var line: String {
        switch self {
        case .wayland(let path): "the caller's Wayland compositor, \(path)"
        case .x11(let number): "the caller's X server :\(number), as a client that it does not trust"
        }
    }
}

extension DisplayPlan {
    fileprivate var line: String {
        let manager = windowManager == .none ? "no window manager" : windowManager.rawValue
        return "an X server of its own, \(size.text), \(manager), clipboard \(clipboard.rawValue): Xvnc "
            + serverArguments.map(quotedWord).joined(separator: " ")
    }
}

extension BusPlan.Link {
    fileprivate var line: String {
        let passes = rules.isEmpty ? "nothing but the bus itself" : rules.map(quotedWord).joined(separator: " ")
        return
            "\(key == "dbus.session" ? "the session's bus" : "the system's bus"), \(address.text), through xdg-dbus-proxy: "
            + passes
    }
}

extension Supervision {
    fileprivate var sentence: String {
        switch self {
        case .none: "sandbox becomes the command: nothing stays beside it"
        case .waiter(initProcess: _, pseudoTerminal: true): "sandbox stays, between the terminal and the command"
        case .waiter(initProcess: true, pseudoTerminal: false): "sandbox waits; a small init is process 1 of the box"
        case .waiter(initProcess: false, pseudoTerminal: false): "sandbox waits; no init stands over the command"
        }
    }
}

extension NamespacePlan {
    fileprivate var lines: [String] {
        var lines: [String] = []
        let kinds = unshare.sorted().map { $0 == .user && impliesUser ? "user (for lack of root)" : $0.rawValue }
        lines.append(kinds.isEmpty ? "none of its own" : "new: " + kinds.joined(separator: ", "))
        for join in join { lines.append("joined: \(join.kind.rawValue) of \(join.path)") }
        for (name, map) in [("users", uidMap), ("groups", gidMap)] {
            for range in map {
                lines.append("\(name) \(range.inside) are \(range.outside) outside, \(range.count) of them")
            }
        }
        if let monotonicOffset { lines.append("monotonic clock \(monotonicOffset) s ahead") }
        if let boottimeOffset { lines.append("boot clock \(boottimeOffset) s ahead") }
        return lines
    }
}

extension FilesystemPlan {
    fileprivate var lines: [String] {
        var lines: [String] = []
        if case .tree(let path) = root { lines.append("root \(path)") }
        switch overlay?.upper {
        case .tmpfs?: lines.append("changes to the root are lost")
        case .directory(let path)?: lines.append("changes to the root are kept in \(path)")
        case nil: break
        }
        for step in steps {
            let detail = step.operation.detail.map { " (\($0))" } ?? ""
            lines.append("\(step.operation.word) \(step.operation.path)\(detail)")
        }
        return lines
    }
}

extension Profile.Security {
    fileprivate func lines(_ process: Profile.Process) -> [String] {
        var lines = [process.noNewPrivileges ? "no new privileges" : "set-user-ID programs give rights"]
        if let keep = capabilities.keep {
            lines.append("capabilities kept: \(keep.isEmpty ? "none" : keep.joined(separator: ", "))")
        }
        if !capabilities.ambient.isEmpty {
            lines.append("ambient capabilities: \(capabilities.ambient.joined(separator: ", "))")
        }
        switch seccomp?.default {
        case .deny?: lines.append("system calls: only those that are listed")
        case .allow?: lines.append("system calls: all but those that are denied")
        case nil: break
        }
        if userNamespaces == .deny { lines.append("no user namespaces inside") }
        return lines
    }
}

extension Profile.Resources {
    fileprivate var lines: [String] {
        var lines: [String] = []
        if let memory { lines.append("memory \(memory) bytes") }
        if let memoryHigh { lines.append("memory slowed from \(memoryHigh) bytes on") }
        if let memorySwap { lines.append("swap \(memorySwap) bytes") }
        if let cpu { lines.append("processor time of \(cpu) CPUs") }
        if let cpuWeight { lines.append("processor weight \(cpuWeight)") }
        if let pids { lines.append("\(pids) processes") }
        if let cpuset { lines.append("CPUs \(cpuset)") }
        if let ioWeight { lines.append("disk weight \(ioWeight)") }
        return lines
    }
}

extension MountOperation {
    var word: String {
        switch self {
        case .bind: "bind"
        case .readOnly: "read-only"
        case .writable: "writable"
        case .hide: "hide"
        case .tmpfs: "tmpfs"
        case .directory: "directory"
        case .file, .replace: "file"
        case .symlink: "symlink"
        case .keep: "keep"
        case .proc: "proc"
        case .devices: "devices"
        case .tap: "device"
        }
    }

    /// The path in the box.
    var path: String {
        switch self {
        case .bind(_, let path, _), .readOnly(let path, _), .writable(let path), .hide(let path),
            .tmpfs(let path, _, _, _), .directory(let path, _), .file(let path, _, _),
            .replace(let path, _, _, _), .symlink(let path, _), .keep(let path, _), .proc(let path),
            .devices(let path, _):
            path
        case .tap: "/dev/tapN"
        }
    }

    /// What else there is to say: where from, which options, how large.
    var detail: String? {
        switch self {
        case .bind(let from, _, let options): (["from \(from)"] + options.words).joined(separator: ", ")
        case .tmpfs(_, let size, let mode, let options):
            (list(size.map { "\($0) bytes" }) + ["mode 0\(String(mode, radix: 8))"] + options.words)
                .joined(separator: ", ")
        case .directory(_, let mode): "mode 0\(String(mode, radix: 8))"
        case .file(_, let content, let mode), .replace(_, let content, let mode, _):
            "\(content.utf8.count) bytes, mode 0\(String(mode, radix: 8))"
        case .symlink(_, let target): "to \(target)"
        case .keep: "read-only, and not to be replaced: your profiles decide about later boxes"
        case .tap(let interface): "of \(interface), N being its index"
        case .readOnly, .writable, .hide, .proc, .devices: nil
        }
    }
}

extension Profile.BindOptions {
    /// The options by their mount(8) names.
    var words: [String] {
        var words: [String] = []
        if readOnly { words.append("ro") }
        if nosuid { words.append("nosuid") }
        if nodev { words.append("nodev") }
        if noexec { words.append("noexec") }
        if nosymfollow { words.append("nosymfollow") }
        if !recursive { words.append("bind") }
        if optional { words.append("optional") }
        if nofollow { words.append("nofollow") }
        if idmap { words.append("idmap") }
        if let propagation { words.append(propagation.rawValue) }
        return words
    }
}

private func variableName(_ entry: String) -> String { entry.split(at: "=")?.0 ?? entry }
