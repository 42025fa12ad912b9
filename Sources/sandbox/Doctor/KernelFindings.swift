import CLinux
import Glibc
import Kernel
import Profile

/// Reads a small file; nil where there is none.
func fileText(_ path: String) -> String? {
    do throws(SystemError) { return try readText(path) } catch { return nil }
}

/// The C library's words for an errno(3) value.
func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

/// Each kind of namespace, made by the caller as the launcher would make it.
func namespaceFindings() -> [HostFinding] {
    NamespaceKind.allCases.map { kind in
        let code = Probe(rawValue: kind.rawValue)?.attempt() ?? EIO
        let isRequired = kind != .time && kind != .cgroup && (kind != .user || geteuid() != 0)
        return namespaceFinding(kind, code: code, isRoot: geteuid() == 0, isRequired: isRequired)
    }
}

func namespaceFinding(_ kind: NamespaceKind, code: Int32, isRoot: Bool, isRequired: Bool) -> HostFinding {
    let id = "namespace-\(kind.rawValue)"
    if code == 0 { return HostFinding(.namespaces, id, .ok, "\(kind.rawValue) namespaces", isRequired: isRequired) }
    let fix =
        switch (code, isRoot) {
        case (EPERM, false), (EACCES, false): "see users below, or run as root"
        case (ENOSPC, _): "sysctl -w user.max_\(kind.entry)_namespaces=10000"
        case (EPERM, true): "grant CAP_SYS_ADMIN: the caller is root without it"
        default: "boot a kernel with CONFIG_\(configuration(kind))=y"
        }
    return HostFinding(
        .namespaces, id, .lacking, "\(kind.rawValue) namespaces: \(reason(code))",
        cost: "namespaces.unshare = [\"\(kind.rawValue)\"] fails.", fix: fix, isRequired: isRequired)
}

private func configuration(_ kind: NamespaceKind) -> String {
    switch kind {
    case .mount: "NAMESPACES"
    case .cgroup: "CGROUPS"
    default: kind.rawValue.uppercased() + "_NS"
    }
}

/// Mounts by file descriptor, overlays, idmapped mounts.
func mountFindings() -> [HostFinding] {
    let asUser = geteuid() == 0 ? "" : " (as this user)"
    return [
        probed(
            .mountCalls, .mounts, "mount-calls", "mounts by descriptor: open_tree, mount_setattr, fsopen, move_mount",
            cost: "No file rule of a profile can be set up.", fix: "boot Linux 5.12 or newer", isRequired: true),
        probed(
            .overlay, .mounts, "overlay", "overlayfs\(asUser)", cost: "filesystem.overlay fails.",
            fix: "modprobe overlay"),
        probed(
            .overlayAsUser, .mounts, "overlay-as-user", "overlayfs without root (userxattr)",
            cost: "filesystem.overlay fails without root.", fix: "boot Linux 5.11 or newer; modprobe overlay"),
        idmapFinding(),
    ]
}

private func idmapFinding() -> HostFinding {
    if geteuid() != 0 {
        return HostFinding(.mounts, "idmap", .note, "idmapped mounts need root; the option idmap of a bind is an error")
    }
    return probed(
        .idmap, .mounts, "idmap", "idmapped mounts",
        cost: "The option idmap of filesystem.bind fails on this filesystem.",
        fix: "boot Linux 5.12 or newer (ext4, xfs), 5.19 (overlay), 6.3 (tmpfs)")
}

/// A finding from a probe.
func probed(
    _ probe: Probe, _ section: HostFinding.Section, _ id: String, _ what: String, cost: String, fix: String,
    isRequired: Bool = false
) -> HostFinding {
    let code = probe.attempt()
    return code == 0
        ? HostFinding(section, id, .ok, what, isRequired: isRequired)
        : HostFinding(section, id, .lacking, "\(what): \(reason(code))", cost: cost, fix: fix, isRequired: isRequired)
}

/// seccomp(2), Landlock, process descriptors, terminals.
func securityFindings() -> [HostFinding] {
    [
        seccompFinding(available: fileText("/proc/sys/kernel/seccomp/actions_avail")),
        landlockFinding(abi: linux_landlock_abi(), code: errno),
        pidfdFinding(),
        probed(
            .clone3, .security, "clone3", "clone3", cost: "No pid namespace and no supervision.",
            fix: "boot Linux 5.3 or newer; inside a container, allow clone3 in its seccomp profile", isRequired: true),
        terminalFinding(legacy: fileText("/proc/sys/dev/tty/legacy_tiocsti")),
    ]
}

func seccompFinding(available: String?) -> HostFinding {
    let needed = ["kill_process", "errno", "log", "allow", "trap"]
    let actions = (available ?? "").split(whereSeparator: \.isWhitespace).map { String($0) }
    let missing = needed.filter { !actions.contains($0) }
    if missing.isEmpty {
        return HostFinding(.security, "seccomp", .ok, "seccomp: \(actions.joined(separator: ", "))", isRequired: true)
    }
    return HostFinding(
        .security, "seccomp", .lacking,
        actions.isEmpty ? "seccomp filters: not in this kernel" : "seccomp without \(missing.joined(separator: ", "))",
        cost: "security.seccomp, security.user-namespaces and the terminal guard fail.",
        fix: "boot a kernel with CONFIG_SECCOMP_FILTER=y", isRequired: true)
}

func landlockFinding(abi: Int32, code: Int32) -> HostFinding {
    switch abi {
    case 6...: return HostFinding(.security, "landlock", .ok, "Landlock ABI \(abi): files, TCP ports, scopes")
    case 4...5:
        return HostFinding(
            .security, "landlock", .note, "Landlock ABI \(abi): files and TCP ports",
            cost: "security.landlock.scope fails: abstract sockets and signals are not confined.",
            fix: "boot Linux 6.12 or newer")
    case 1...3:
        return HostFinding(
            .security, "landlock", .note, "Landlock ABI \(abi): files",
            cost: "security.landlock.tcp-bind, tcp-connect and scope fail.", fix: "boot Linux 6.12 or newer")
    default:
        let isOff = code == EOPNOTSUPP
        return HostFinding(
            .security, "landlock", .lacking, isOff ? "Landlock is built in but off" : "Landlock: not in this kernel",
            cost: "filesystem.landlock and security.landlock fail; mounts and seccomp still confine.",
            fix: isOff
                ? "add landlock to lsm= on the kernel command line (see /sys/kernel/security/lsm)"
                : "boot a kernel with CONFIG_SECURITY_LANDLOCK=y")
    }
}

private func pidfdFinding() -> HostFinding {
    let descriptor = linux_pidfd_open(getpid(), 0)
    if descriptor < 0 {
        return HostFinding(
            .security, "pidfd", .lacking, "process descriptors (pidfd): \(reason(errno))",
            cost: "A box cannot be told from another process with the same number.", fix: "boot Linux 5.3 or newer",
            isRequired: true)
    }
    close(descriptor)
    return HostFinding(.security, "pidfd", .ok, "process descriptors (pidfd)", isRequired: true)
}

func terminalFinding(legacy: String?) -> HostFinding {
    guard legacy?.first == "1" || legacy == nil else {
        return HostFinding(.security, "tiocsti", .ok, "typing into a shared terminal (TIOCSTI) is off in the kernel")
    }
    return HostFinding(
        .security, "tiocsti", .note, "the kernel lets programs type into a shared terminal (TIOCSTI)",
        cost: "sandbox denies it by a filter of its own, unless security.terminal-injection = \"allow\".",
        fix: legacy == nil ? nil : "sysctl -w dev.tty.legacy_tiocsti=0")
}
