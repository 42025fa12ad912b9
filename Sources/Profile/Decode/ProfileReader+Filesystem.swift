extension ProfileReader {
    func filesystem(_ section: Value) throws(ProfileError) -> Profile.Filesystem {
        var filesystem = Profile.Filesystem()
        filesystem.root = try text(section["root"], "filesystem.root")
        filesystem.overlay = try overlay(section["overlay"])
        filesystem.readOnly = try texts(section["read-only"], "filesystem.read-only") ?? []
        filesystem.writable = try texts(section["writable"], "filesystem.writable") ?? []
        filesystem.hide = try texts(section["hide"], "filesystem.hide") ?? []
        filesystem.privateAreas = Set(try words(section["private"], "filesystem.private") ?? [])
        for (index, item) in try (items(section["bind"], "filesystem.bind") ?? []).enumerated() {
            filesystem.binds.append(try bind(item, "filesystem.bind[\(index)]"))
        }
        for item in try items(section["tmpfs"], "filesystem.tmpfs") ?? [] {
            filesystem.tmpfs.append(try tmpfs(item, "filesystem.tmpfs"))
        }
        for item in try items(section["files"], "filesystem.files") ?? [] {
            filesystem.files.append(try file(item, "filesystem.files"))
        }
        for item in try items(section["symlinks"], "filesystem.symlinks") ?? [] {
            filesystem.symlinks.append(try symlink(item, "filesystem.symlinks"))
        }
        filesystem.landlock = try flag(section["landlock"], "filesystem.landlock") ?? false
        filesystem.proc = try word(section["proc"], "filesystem.proc") ?? .auto
        filesystem.maskedPaths = try texts(section["masked-paths"], "filesystem.masked-paths")
        filesystem.readonlyPaths = try texts(section["readonly-paths"], "filesystem.readonly-paths")
        return filesystem
    }

    private func overlay(_ table: Value?) throws(ProfileError) -> Profile.Overlay? {
        guard let table else { return nil }
        let key = "filesystem.overlay"
        guard let upper = try text(table["upper"], key) else {
            throw missing("upper", key, mend: "add upper = \"tmpfs\" or a directory")
        }
        return Profile.Overlay(
            upper: upper == "tmpfs" ? .tmpfs : .directory(upper), size: try size(table["size"], key))
    }

    private func bind(_ table: Value, _ key: String) throws(ProfileError) -> Profile.Bind {
        guard let from = try text(table["from"], key) else { throw notRead(key) }
        var bind = Profile.Bind(
            from: from, to: try text(table["to"], key) ?? from, options: try options(table["options"], key))
        bind.source = DocumentPath(parsing: key).flatMap(source)
        return bind
    }

    private func options(_ value: Value?, _ key: String) throws(ProfileError) -> Profile.BindOptions {
        var options = Profile.BindOptions()
        for word in try texts(value, key) ?? [] {
            switch word {
            case "ro": options.readOnly = true
            case "rw": options.readOnly = false
            case "nosuid": options.nosuid = true
            case "nodev": options.nodev = true
            case "noexec": options.noexec = true
            case "nosymfollow": options.nosymfollow = true
            case "bind": options.recursive = false
            case "rbind": options.recursive = true
            case "optional": options.optional = true
            case "nofollow": options.nofollow = true
            case "idmap": options.idmap = true
            default:
                guard let propagation = Profile.BindOptions.Propagation(rawValue: word) else { throw notRead(key) }
                options.propagation = propagation
            }
        }
        return options
    }

    private func tmpfs(_ table: Value, _ key: String) throws(ProfileError) -> Profile.Tmpfs {
        guard let path = try text(table["path"], key) else { throw notRead(key) }
        return Profile.Tmpfs(
            path: path, size: try size(table["size"], key), mode: try octal(table["mode"], key) ?? 0o755,
            options: try options(table["options"], key))
    }

    private func file(_ table: Value, _ key: String) throws(ProfileError) -> Profile.File {
        guard let path = try text(table["path"], key), let content = try text(table["content"], key) else {
            throw notRead(key)
        }
        return Profile.File(path: path, content: content, mode: try octal(table["mode"], key) ?? 0o644)
    }

    private func symlink(_ table: Value, _ key: String) throws(ProfileError) -> Profile.Symlink {
        guard let path = try text(table["path"], key), let target = try text(table["target"], key) else {
            throw notRead(key)
        }
        return Profile.Symlink(path: path, target: target)
    }
}
