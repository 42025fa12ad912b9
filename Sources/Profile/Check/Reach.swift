extension Rules {
    /// Paths that are not there.
    mutating func checkReach(_ exists: (String) -> Bool) {
        let filesystem = profile.filesystem
        if let root = filesystem.root { reach("filesystem.root", root, exists) }
        if case .directory(let path)? = filesystem.overlay?.upper { reach("filesystem.overlay.upper", path, exists) }
        for kind in NamespaceKind.allCases {
            guard case .path(let path)? = profile.namespaces.join[kind] else { continue }
            reach("namespaces.join.\(kind.rawValue)", path, exists)
        }
        for (index, bind) in filesystem.binds.enumerated() where !bind.options.optional {
            reach("filesystem.bind[\(index)].from", bind.from, exists)
        }
        for (index, path) in filesystem.readOnly.enumerated() {
            reachInside("filesystem.read-only[\(index)]", path, exists)
        }
        for (index, path) in filesystem.writable.enumerated() {
            reachInside("filesystem.writable[\(index)]", path, exists)
        }
        if let path = profile.process.workingDirectory { reachInside("process.working-directory", path, exists) }
    }

    private mutating func reach(_ key: String, _ path: String, _ exists: (String) -> Bool) {
        if !exists(path) { warning(key, "\(Form.quote(path)) does not exist") }
    }

    /// A path in the box: below its root, unless something of the profile's own makes it.
    private mutating func reachInside(_ key: String, _ path: String, _ exists: (String) -> Bool) {
        let filesystem = profile.filesystem
        var made: [String] = []
        for item in filesystem.tmpfs { made.append(item.path) }
        for item in filesystem.binds { made.append(item.to) }
        for item in filesystem.files { made.append(item.path) }
        for item in filesystem.symlinks { made.append(item.path) }
        for area in filesystem.privateAreas { made += area.paths }
        if made.contains(where: { WrittenPath.isWithin(path, $0) }) { return }
        let root = WrittenPath.plain(filesystem.root ?? "/")
        guard root != "/" else { return reach(key, path, exists) }
        // What the user's own variables stand for is a path of the host, which another tree need not have.
        guard path.hasPrefix("/") else { return }
        if !exists(root + path) { warning(key, "\(Form.quote(path)) does not exist below \(Form.quote(root))") }
    }
}

extension Profile.PrivateArea {
    var paths: [String] {
        switch self {
        case .tmp: ["/tmp", "/var/tmp"]
        case .home: ["/home", "/root", "~", "$HOME"]
        case .dev: ["/dev"]
        case .run: ["/run"]
        }
    }
}
