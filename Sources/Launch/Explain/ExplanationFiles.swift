import Profile

extension Explanation {
    /// What the box sees of files.
    var files: [Statement] {
        let filesystem = profile.filesystem
        // Landlock enforces read-only, writable and hide without a mount namespace, too.
        guard isIsolated(.mount) || filesystem.landlock else {
            return [
                Statement(
                    isHostRoot ? .high : .medium, "files",
                    "It sees every file of the host, and changes whatever its user may change.",
                    mend: "namespaces.unshare = [\"mount\"] and filesystem.read-only = [\"/\"]")
            ]
        }
        return [tree, overlayOrWriting] + home + areas + binds(filesystem.binds)
    }

    private var tree: Statement {
        guard let root = profile.filesystem.root, root != "/" else {
            return Statement(
                .low, "files", "It sees the host's file tree, except for what is listed as kept from it.",
                mend: "filesystem.root, or filesystem.hide")
        }
        return Statement(.confined, "files", "Its file tree is \(root); the host's is out of reach.")
    }

    private var overlayOrWriting: Statement {
        let filesystem = profile.filesystem
        switch filesystem.overlay?.upper {
        case .tmpfs?:
            return Statement(.confined, "files", "What it writes to its tree is lost when it ends.")
        case .directory(let path)?:
            return Statement(.confined, "files", "What it writes to its tree is kept in \(path), not in the tree.")
        case nil: break
        }
        let writable = filesystem.writable
        if filesystem.readOnly.contains("/") {
            return writable.isEmpty
                ? Statement(.confined, "files", "Its file tree is read-only.")
                : Statement(
                    .medium, "files", "Its file tree is read-only, except for \(writable.joined(separator: ", ")).",
                    mend: "take entries out of filesystem.writable")
        }
        if !showsHostTree {
            return Statement(
                .low, "files", "It changes the files of its own tree for good.",
                mend: "filesystem.overlay.upper = \"tmpfs\", or filesystem.read-only = [\"/\"]")
        }
        let except = filesystem.readOnly.isEmpty ? "" : " outside of \(filesystem.readOnly.joined(separator: ", "))"
        return Statement(
            isHostRoot ? .high : .medium, "files", "It changes the host's files\(except) as far as its user may.",
            mend: "filesystem.read-only = [\"/\"], with what it needs in filesystem.writable")
    }

    private var home: [Statement] {
        guard showsHostTree else { return [] }
        if profile.filesystem.privateAreas.contains(.home) {
            return [Statement(.confined, "home", "Its home directories are fresh and empty.")]
        }
        if isHidden("~") { return [Statement(.confined, "home", "Your home directory is hidden.")] }
        let secrets = ["~/.ssh", "~/.gnupg", "~/.aws", "~/.mozilla"].filter { !isHidden($0) }
        if secrets.isEmpty {
            return [Statement(.low, "home", "It reads your home directory, but for what is hidden.")]
        }
        return [
            Statement(
                .medium, "home", "It reads your home directory, \(secrets.joined(separator: ", ")) included.",
                mend: "filesystem.private = [\"home\"]")
        ]
    }

    private var areas: [Statement] {
        guard showsHostTree else { return [] }
        let areas = profile.filesystem.privateAreas
        var statements: [Statement] = []
        let covered = Set(profile.filesystem.tmpfs.map(\.path))
        if areas.contains(.tmp) || covered.contains("/tmp") || isHidden("/tmp") {
            statements.append(Statement(.confined, "files", "Its /tmp is its own."))
        } else {
            statements.append(
                Statement(
                    .medium, "files", "It shares /tmp with all programs of the host, the X server's socket included.",
                    mend: "filesystem.private = [\"tmp\"]"))
        }
        if areas.contains(.dev) || isHidden("/dev") {
            statements.append(Statement(.confined, "devices", "Its /dev holds only the usual harmless devices."))
        } else {
            statements.append(
                Statement(
                    isHostRoot ? .high : .medium, "devices",
                    "It finds the host's devices in /dev and opens those its user may open.",
                    mend: "filesystem.private = [\"dev\"]"))
        }
        return statements
    }

    private func binds(_ binds: [Profile.Bind]) -> [Statement] {
        binds.map { bind in
            let place = bind.from == bind.to ? bind.from : "\(bind.from) (as \(bind.to))"
            if bind.options.readOnly { return Statement(.low, "files", "It reads \(place).") }
            let isWide = bind.from == "/" || bind.from == "~" || bind.from.hasSuffix("docker.sock")
            return Statement(
                isWide ? .high : .medium, "files", "It reads and changes \(place).",
                mend: "options = [\"ro\"] for this entry of filesystem.bind")
        }
    }

    /// Sockets in the file tree through which host services act for the box.
    var sockets: [Statement] {
        let areas = profile.filesystem.privateAreas
        guard showsHostTree || !isIsolated(.mount) else { return [] }
        let covered = Set(profile.filesystem.tmpfs.map(\.path))
        if isIsolated(.mount) && (areas.contains(.run) || covered.contains("/run") || isHidden("/run")) {
            return [Statement(.confined, "services", "The sockets of host services under /run are out of reach.")]
        }
        return [
            Statement(
                .high, "services",
                "It may talk to host services through their sockets under /run: D-Bus, systemd, container engines. "
                    + "They can start programs outside of the box for it.",
                mend: isIsolated(.mount)
                    ? "filesystem.private = [\"run\"]"
                    : "namespaces.unshare = [\"mount\"], filesystem.private = [\"run\"]")
        ]
    }
}
