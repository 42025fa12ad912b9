/// Paths as a profile writes them, compared without looking at any file system.
enum WrittenPath {
    /// Without slashes at its end or in a row.
    static func plain(_ path: String) -> String {
        var plain: [UInt8] = []
        for byte in path.utf8 where byte != UInt8(ascii: "/") || plain.last != byte { plain.append(byte) }
        if plain.count > 1, plain.last == UInt8(ascii: "/") { plain.removeLast() }
        return String(decoding: plain, as: UTF8.self)
    }

    /// Whether a path is `tree` or lies in it.
    static func isWithin(_ path: String, _ tree: String) -> Bool {
        let path = plain(path)
        let tree = plain(tree)
        return path == tree || path.hasPrefix(tree == "/" ? tree : tree + "/")
    }

    /// Whether it stands for several paths, so that comparing it says nothing.
    static func isGlob(_ path: String) -> Bool {
        path.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
    }
}
