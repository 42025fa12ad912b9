extension Profile.Filesystem {
    var document: Value {
        var section = Entries()
        section.add("root", text: root)
        if let overlay { section.add("overlay", overlay.document) }
        section.add("read-only", texts: readOnly)
        section.add("writable", texts: writable)
        section.add("hide", texts: hide)
        var areas: [String] = []
        for area in Profile.PrivateArea.allCases where privateAreas.contains(area) { areas.append(area.rawValue) }
        section.add("private", texts: areas)
        var items: [Value] = []
        for bind in binds { items.append(bind.document) }
        section.add("bind", items: items)
        items = []
        for mount in tmpfs { items.append(mount.document) }
        section.add("tmpfs", items: items)
        items = []
        for file in files { items.append(file.document) }
        section.add("files", items: items)
        items = []
        for link in symlinks {
            items.append(.table([("path", .string(link.path)), ("target", .string(link.target))]))
        }
        section.add("symlinks", items: items)
        section.add("landlock", flag: landlock, usual: false)
        if proc != .auto { section.add("proc", text: proc.rawValue) }
        section.add("masked-paths", exactly: maskedPaths)
        section.add("readonly-paths", exactly: readonlyPaths)
        return section.value
    }
}

extension Profile.Overlay {
    fileprivate var document: Value {
        var table = Entries()
        switch upper {
        case .tmpfs: table.add("upper", text: "tmpfs")
        case .directory(let path): table.add("upper", text: path)
        }
        table.add("size", number: size)
        return table.value
    }
}

extension Profile.Bind {
    fileprivate var document: Value {
        var table = Entries()
        table.add("from", text: from)
        if to != from { table.add("to", text: to) }
        table.add("options", texts: options.words)
        return table.value
    }
}

extension Profile.Tmpfs {
    fileprivate var document: Value {
        var table = Entries()
        table.add("path", text: path)
        table.add("size", number: size)
        table.add("mode", mode: mode == 0o755 ? nil : mode)
        table.add("options", texts: options.words)
        return table.value
    }
}

extension Profile.File {
    fileprivate var document: Value {
        var table = Entries()
        table.add("path", text: path)
        table.add("content", text: content)
        table.add("mode", mode: mode == 0o644 ? nil : mode)
        return table.value
    }
}

extension Profile.BindOptions {
    fileprivate var words: [String] {
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
