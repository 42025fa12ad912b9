extension LoadedProfile {
    /// Rules without effect, and paths that are not there: each a warning. `exists` is asked for paths as written,
    /// with `~`, variables and globs in them; nil asks nothing.
    public func warnings(exists: ((String) -> Bool)? = nil) -> [Finding] {
        var rules = Rules(self)
        rules.checkRemovals()
        rules.checkHidden()
        rules.checkCovered()
        rules.checkReadOnly()
        rules.checkIdle()
        if let exists { rules.checkReach(exists) }
        return rules.findings
    }
}

extension Rules {
    mutating func checkRemovals() {
        for removal in loaded.idleRemovals {
            warning(layer: removal.layer, removal.path, "\(Form.quote("!" + removal.name)) takes nothing out")
        }
    }

    /// Every entry that puts something at a path: its key, and the path.
    private var targets: [(key: String, path: String)] {
        let filesystem = profile.filesystem
        var targets: [(key: String, path: String)] = []
        for (index, item) in filesystem.tmpfs.enumerated() { targets.append(("filesystem.tmpfs[\(index)]", item.path)) }
        for (index, item) in filesystem.binds.enumerated() { targets.append(("filesystem.bind[\(index)]", item.to)) }
        for (index, item) in filesystem.files.enumerated() { targets.append(("filesystem.files[\(index)]", item.path)) }
        for (index, item) in filesystem.symlinks.enumerated() {
            targets.append(("filesystem.symlinks[\(index)]", item.path))
        }
        return targets
    }

    /// `hide` comes last and wins.
    mutating func checkHidden() {
        let hide = profile.filesystem.hide.filter { !WrittenPath.isGlob($0) }
        for (index, path) in profile.filesystem.hide.enumerated() {
            let others = hide.filter { WrittenPath.plain($0) != WrittenPath.plain(path) }
            if let tree = others.first(where: { WrittenPath.isWithin(path, $0) }) {
                warning("filesystem.hide[\(index)]", "no effect: \(Form.quote(tree)) is hidden already")
            }
        }
        var entries = targets
        for (index, path) in profile.filesystem.readOnly.enumerated() {
            entries.append(("filesystem.read-only[\(index)]", path))
        }
        for (index, path) in profile.filesystem.writable.enumerated() {
            entries.append(("filesystem.writable[\(index)]", path))
        }
        for entry in entries {
            guard let tree = hide.first(where: { WrittenPath.isWithin(entry.path, $0) }) else { continue }
            warning(entry.key, "no effect: \(Form.quote(tree)) is hidden", mend: "hide wins over every other key")
        }
    }

    /// What a later mount covers.
    mutating func checkCovered() {
        let entries = targets.filter { $0.key.hasPrefix("filesystem.tmpfs") || $0.key.hasPrefix("filesystem.bind") }
        for (index, entry) in entries.enumerated() {
            for later in entries[(index + 1)...] where WrittenPath.isWithin(entry.path, later.path) {
                warning(entry.key, "no effect: \(later.key) covers \(Form.quote(entry.path))")
                break
            }
        }
    }

    mutating func checkReadOnly() {
        let filesystem = profile.filesystem
        for (index, path) in filesystem.readOnly.enumerated() {
            let trees = filesystem.readOnly.filter { other in
                WrittenPath.plain(other) != WrittenPath.plain(path) && WrittenPath.isWithin(path, other)
                    // Something between them may be writable.
                    && !filesystem.writable.contains { WrittenPath.isWithin(path, $0) }
                    && !targets.contains { WrittenPath.isWithin(path, $0.path) }
            }
            if let tree = trees.first {
                warning("filesystem.read-only[\(index)]", "no effect: \(Form.quote(tree)) is read-only already")
            }
        }
        guard !filesystem.landlock else { return }
        for (index, path) in filesystem.writable.enumerated() where !mayBeReadOnly(path) {
            warning("filesystem.writable[\(index)]", "no effect: nothing around \(Form.quote(path)) is read-only")
        }
    }

    private func mayBeReadOnly(_ path: String) -> Bool {
        let filesystem = profile.filesystem
        var trees = filesystem.readOnly
        for bind in filesystem.binds where bind.options.readOnly { trees.append(bind.to) }
        for mount in filesystem.tmpfs where mount.options.readOnly { trees.append(mount.path) }
        return trees.contains { tree in
            // What the user's variables and globs stand for is not known here.
            WrittenPath.isGlob(tree) || WrittenPath.isWithin(path, tree)
                || tree.hasPrefix("/") != path.hasPrefix("/")
        }
    }

    /// Keys that need another one to matter.
    mutating func checkIdle() {
        let process = profile.process
        if !process.environment.keep.isEmpty, !process.environment.clear {
            warning("process.environment.keep", "no effect: nothing is cleared", mend: "set clear = true")
        }
        if process.ioPriority?.class == .idle, isSet("process.io-priority.level") {
            warning("process.io-priority.level", "no effect: class \"idle\" has no levels")
        }
        if isSet("security.terminal-injection"), process.terminal == .none || process.terminal == .pty {
            warning(
                "security.terminal-injection",
                "no effect: with process.terminal = \(Form.quote(process.terminal.rawValue)) none is shared")
        }
        if let overlay = profile.filesystem.overlay, overlay.size != nil, overlay.upper != .tmpfs {
            warning("filesystem.overlay.size", "no effect: only a tmpfs has a size")
        }
        if let memory = profile.resources.memory, let high = profile.resources.memoryHigh, high >= memory {
            warning("resources.memory-high", "no effect: resources.memory is reached first")
        }
        if profile.lifecycle.restart == .no, isSet("lifecycle.restart-delay") {
            warning("lifecycle.restart-delay", "no effect: lifecycle.restart is \"no\"", mend: "set lifecycle.restart")
        }
    }
}
