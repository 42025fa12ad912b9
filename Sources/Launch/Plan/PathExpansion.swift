/// Expands `~`, `$HOME`, `$PWD` and `$XDG_…` at the beginning of profile paths (XDG Base Directory Specification,
/// xdg-user-dirs).
struct PathExpansion {
    let host: HostFacts

    /// The absolute path that `path` stands for, without `.`, empty or `..` components.
    func expand(_ path: String, key: String) throws(LaunchError) -> String {
        if path.utf8.first == PathExpansion.slash { return try normalised(path, key: key) }
        let (first, rest) = PathExpansion.split(path)
        let base = try base(first, whole: rest.isEmpty, of: path, key: key)
        return try normalised(base + "/" + rest, key: key)
    }

    /// As ``expand(_:key:)``, then every match when it holds a glob(7) pattern: none is no error. Only what the profile
    /// itself writes is a pattern, not what its variables stand for.
    func expandGlob(_ path: String, key: String, root: String? = nil) throws(LaunchError) -> [String] {
        guard PathExpansion.isPattern(path) else { return [try expand(path, key: key)] }
        let root = root ?? ""
        let pattern: String
        if path.hasPrefix("/") {
            pattern = PathExpansion.escaped(root) + (try normalised(path, key: key))
        } else {
            let (first, rest) = PathExpansion.split(path)
            let base = root + (try normalised(base(first, whole: false, of: path, key: key), key: key))
            pattern = PathExpansion.escaped(base == "/" ? "" : base) + (try normalised(String(rest), key: key))
        }
        return host.glob(pattern).map { String($0.dropFirst(root.utf8.count)) }
    }

    private func base(
        _ first: Substring, whole: Bool, of path: String, key: String
    ) throws(LaunchError) -> String {
        switch first {
        case "~", "$HOME": return host.home
        case "$PWD": return try directory(whole: whole, key: key)
        default:
            if first.hasPrefix("$") { return try variable(String(first.dropFirst()), key: key) }
            throw LaunchError(key: key, "\"\(path)\" is not absolute", mend: "begin it with /, ~, $PWD or $XDG_…")
        }
    }

    static func isPattern(_ path: String) -> Bool { path.utf8.contains { $0 == 0x2a || $0 == 0x3f || $0 == 0x5b } }

    /// A path that stands for itself in a pattern.
    private static func escaped(_ path: String) -> String {
        var escaped = ""
        for character in path {
            if "*?[\\".contains(character) { escaped += "\\" }
            escaped.append(character)
        }
        return escaped
    }

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

    /// The caller's working directory. `whole`: all of it is meant, so that it must not hold the home, which a profile
    /// that names a project's directory does not want to give.
    private func directory(whole: Bool, key: String) throws(LaunchError) -> String {
        let mend = "change to the directory that the command is about"
        guard let directory = host.directory() else {
            throw LaunchError(key: key, "the current directory ($PWD) is gone or out of reach", mend: mend)
        }
        if whole, FilesystemPlanner.remainder(of: host.home, below: directory) != nil {
            throw LaunchError(key: key, "the current directory ($PWD) is, or holds, the home \(host.home)", mend: mend)
        }
        return directory
    }

    private func variable(_ name: String, key: String) throws(LaunchError) -> String {
        guard name.hasPrefix("XDG_") else {
            throw LaunchError(
                key: key, "$\(name) is not a variable of profile paths", mend: "use ~, $HOME, $PWD or $XDG_…")
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

extension HostFacts {
    /// Whether something on the host has the path that a profile writes. One that stands for nothing here, or for any
    /// number of paths, is not judged.
    public func mayReach(_ path: String, exists: (String) -> Bool) -> Bool {
        if PathExpansion.isPattern(path) { return true }
        do throws(LaunchError) {
            return exists(try PathExpansion(host: self).expand(path, key: ""))
        } catch {
            return true
        }
    }
}
