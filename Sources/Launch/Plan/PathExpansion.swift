/// Expands `~`, `$HOME` and `$XDG_…` at the beginning of profile paths (XDG Base Directory Specification, xdg-user-dirs).
struct PathExpansion {
    let host: HostFacts

    /// The absolute path that `path` stands for, without `.`, empty or `..` components.
    func expand(_ path: String, key: String) throws(LaunchError) -> String {
        let (first, rest) = PathExpansion.split(path)
        let base: String
        if first == "~" || first == "$HOME" {
            base = host.home
        } else if first.hasPrefix("$") {
            base = try variable(String(first.dropFirst()), key: key)
        } else if path.utf8.first == PathExpansion.slash {
            return try normalised(path, key: key)
        } else {
            throw LaunchError(
                key: key, "\"\(path)\" is not absolute", mend: "begin it with /, ~ or $XDG_…")
        }
        return try normalised(base + "/" + rest, key: key)
    }

    /// As ``expand(_:key:)``, then every match when it holds a glob(7) pattern: none is no error.
    func expandGlob(_ path: String, key: String, root: String? = nil) throws(LaunchError) -> [String] {
        let expanded = try expand(path, key: key)
        guard PathExpansion.isPattern(expanded) else { return [expanded] }
        guard let root else { return host.glob(expanded) }
        return host.glob(root + expanded).map { String($0.dropFirst(root.utf8.count)) }
    }

    static func isPattern(_ path: String) -> Bool { path.utf8.contains { $0 == 0x2a || $0 == 0x3f || $0 == 0x5b } }

    private static func split(_ path: String) -> (first: Substring, rest: Substring) {
        guard let slash = path.utf8.firstIndex(of: slash) else { return (path[...], "") }
        return (path[..<slash], path[path.utf8.index(after: slash)...])
    }

    /// Paths are split by bytes, as the kernel does: "/" with a combining mark after it is another character.
    private static let slash = UInt8(ascii: "/")

    private func normalised(_ path: String, key: String) throws(LaunchError) -> String {
        if path.utf8.contains(0) { throw LaunchError(key: key, "a NUL byte in a path") }
        var kept: [Substring] = []
        for part in path.utf8.split(separator: PathExpansion.slash).map({ Substring($0) }) where part != "." {
            if part == ".." {
                throw LaunchError(key: key, "\"\(path)\" holds \"..\"", mend: "write the path out")
            }
            kept.append(part)
        }
        return "/" + kept.joined(separator: "/")
    }

    private func variable(_ name: String, key: String) throws(LaunchError) -> String {
        guard name.hasPrefix("XDG_") else {
            throw LaunchError(key: key, "$\(name) is not a variable of profile paths", mend: "use ~, $HOME or $XDG_…")
        }
        if let value = host.variable(name), value.hasPrefix("/") { return value }
        if name == "XDG_RUNTIME_DIR" { return "/run/user/\(host.uid)" }
        if let below = PathExpansion.defaults[name] { return host.home + "/" + below }
        throw LaunchError(key: key, "$\(name) is not set", mend: "set it, or write the path out")
    }

    private static let defaults = [
        "XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache", "XDG_DATA_HOME": ".local/share",
        "XDG_STATE_HOME": ".local/state", "XDG_BIN_HOME": ".local/bin", "XDG_DESKTOP_DIR": "Desktop",
        "XDG_DOWNLOAD_DIR": "Downloads", "XDG_DOCUMENTS_DIR": "Documents", "XDG_MUSIC_DIR": "Music",
        "XDG_PICTURES_DIR": "Pictures", "XDG_VIDEOS_DIR": "Videos", "XDG_TEMPLATES_DIR": "Templates",
        "XDG_PUBLICSHARE_DIR": "Public",
    ]
}
