import Profile

extension Explanation {
    /// Who the box is to the host.
    var identity: [Statement] {
        var statements: [Statement] = []
        let user = profile.process.user
        if isHostRoot {
            statements.append(
                Statement(
                    .high, "identity", "It runs as the host's root: every file and device of root's is its own.",
                    mend: "process.user, or namespaces.unshare = [\"user\"] with security.uid-map = \"auto\""))
        } else if isIsolated(.user) {
            statements.append(mapped)
        } else {
            let name = user ?? "the caller"
            statements.append(
                Statement(
                    .low, "identity", "It runs as \(name), and reaches what that user reaches unless kept from it.",
                    mend: "namespaces.unshare = [\"user\"] with security.uid-map = \"auto\""))
        }
        if !profile.process.noNewPrivileges {
            statements.append(
                Statement(
                    .high, "identity", "Set-user-ID programs, sudo for one, give it more rights.",
                    mend: "process.no-new-privileges = true"))
        } else {
            statements.append(
                Statement(.confined, "identity", "Set-user-ID programs give it nothing (no_new_privs)."))
        }
        return statements
    }

    private var mapped: Statement {
        switch profile.security.uidMap {
        case .auto:
            Statement(.confined, "identity", "Its users are a private range that owns nothing on the host.")
        case .own:
            isRoot
                ? Statement(
                    .high, "identity", "Its user namespace maps to the host's root: root's files are its own.",
                    mend: "security.uid-map = \"auto\"")
                : Statement(
                    .low, "identity", "To the host it is you: it reaches your files unless kept from them.",
                    mend: "security.uid-map = \"auto\"")
        case .explicit(let ranges):
            ranges.contains { $0.outside == 0 && $0.count > 0 }
                ? Statement(
                    .high, "identity", "Its id map includes the host's root.",
                    mend: "leave 0 out of the outside ids of security.uid-map")
                : Statement(.low, "identity", "Its users are the host's users that security.uid-map lists.")
        }
    }

    /// What the capabilities that it keeps are good for, outside of the box.
    var capabilities: [Statement] {
        if isIsolated(.user) {
            return [
                Statement(
                    .confined, "capabilities", "Its capabilities hold only for what its own user namespace owns.")
            ]
        }
        let chosen = profile.security.capabilities
        let kept = Set((chosen.keep ?? []) + chosen.ambient + (chosen.permitted ?? []) + (chosen.effective ?? []))
        if chosen.keep == nil && chosen.permitted == nil && isHostRoot {
            return [
                Statement(
                    .high, "capabilities", "It keeps all capabilities of root: mount, load modules, reboot.",
                    mend: "security.capabilities.keep = []")
            ]
        }
        if kept.isEmpty { return [Statement(.confined, "capabilities", "It has no capabilities.")] }
        return kept.sorted().map { name in
            let meaning = capabilityMeaning(name)
            return Statement(
                meaning.risk, "capabilities", "It keeps CAP_\(name): \(meaning.text).",
                mend: "take \(name) out of security.capabilities.keep")
        }
    }
}

/// What a capability allows that a sandbox's user would mind (capabilities(7)).
private func capabilityMeaning(_ name: String) -> (risk: Statement.Risk, text: String) {
    switch name {
    case "SYS_ADMIN": (.high, "it can mount, enter namespaces and so leave the box")
    case "SYS_MODULE": (.high, "it can load code into the kernel")
    case "SYS_PTRACE": (.high, "it can read and change any process that it sees")
    case "SYS_RAWIO", "PERFMON", "BPF": (.high, "it can reach the kernel's memory")
    case "DAC_OVERRIDE", "DAC_READ_SEARCH", "CHOWN", "FOWNER", "MKNOD": (.high, "file permissions do not stop it")
    case "SETUID", "SETGID", "SETFCAP", "SETPCAP": (.high, "it can become another user or give rights away")
    case "SYS_BOOT", "SYS_TIME", "SYSLOG": (.high, "it acts on the whole machine")
    case "NET_ADMIN": (.medium, "it configures the network that it sees")
    case "NET_RAW": (.medium, "it reads and forges packets of the network that it sees")
    case "KILL": (.medium, "it can signal every process that it sees")
    case "NET_BIND_SERVICE": (.low, "it may listen on ports below 1024")
    default: (.medium, "see capabilities(7)")
    }
}
