/// An entry of the desktop's menus that launches a profile (Desktop Entry Specification 1.5).
struct DesktopEntry {
    /// The absolute path of `sandbox`.
    var executable: String
    /// The profile, by name or absolute path.
    var profile: String
    /// Whether the box has a display of its own, which a viewer shows.
    var isViewed = false
    var name: String
    var comment: String?
    /// The profile's own command.
    var command: [String] = []
    /// Keys of the wrapped program's own entry.
    var original: [String: String] = [:]

    var text: String {
        var text = "[Desktop Entry]\nType=Application\n"
        func add(_ key: String, _ value: String?) {
            if let value, !value.isEmpty { text += "\(key)=\(value)\n" }
        }
        add("Name", DesktopEntry.plain(name))
        add("GenericName", original["GenericName"])
        add("Comment", comment.map { DesktopEntry.plain($0) })
        add("Exec", commandLine)
        add("Icon", icon)
        add("Terminal", "false")
        add("Categories", original["Categories"] ?? "Utility;")
        if fieldCode != nil { add("MimeType", original["MimeType"]) }
        return text
    }

    /// A name without an ending, as themes know it, or a path.
    private var icon: String? {
        guard let icon = original["Icon"], !icon.hasPrefix("/") else { return original["Icon"] }
        let ending = [".png", ".svg", ".xpm"].first { icon.hasSuffix($0) } ?? ""
        return String(icon.dropLast(ending.count))
    }

    private var commandLine: String {
        var words = [executable, "run"]
        if isViewed { words.append("--view") }
        words += ["-p", profile]
        var line = words.map { DesktopEntry.word($0) }
        if let fieldCode { line += ["--"] + command.map { DesktopEntry.word($0) } + [fieldCode] }
        return line.joined(separator: " ")
    }

    /// `%f` or another, where the program takes files and the menu may hand them over.
    private var fieldCode: String? {
        guard !command.isEmpty, let line = original["Exec"] else { return nil }
        return ["%f", "%F", "%u", "%U"].first { line.contains($0) }
    }

    /// A text in one line, as keys of type localestring take it.
    static func plain(_ text: String) -> String {
        String(text.map { $0 == "\n" || $0 == "\t" ? " " : $0 }).replacing("\\", with: "\\\\")
    }

    /// A word of Exec: quoted where it holds what is reserved, then escaped as any text of the file.
    static func word(_ word: String) -> String {
        let text = word.replacing("%", with: "%%")
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: "-_./:=+,@%".utf8.contains(byte)
                }
            }
        if isPlain { return text }
        var quoted = ""
        for character in text {
            if "\"`$\\".contains(character) { quoted += "\\" }
            quoted.append(character)
        }
        return "\"" + quoted.replacing("\\", with: "\\\\") + "\""
    }

    /// The keys of the group [Desktop Entry] of a file, translations left out.
    static func keys(of text: String) -> [String: String] {
        var keys: [String: String] = [:]
        var isInside = false
        for line in text.split(separator: "\n") {
            if line.hasPrefix("[") { isInside = line == "[Desktop Entry]" }
            guard isInside, let sign = line.firstIndex(of: "=") else { continue }
            let key = line[..<sign].filter { $0 != " " }
            if !key.hasSuffix("]") { keys[key] = String(line[line.index(after: sign)...].drop { $0 == " " }) }
        }
        return keys
    }

    /// Whether an entry with these keys starts that program.
    static func starts(_ keys: [String: String], _ program: String) -> Bool {
        let word = keys["Exec"]?.split(separator: " ").first.map { String($0) } ?? ""
        return !word.isEmpty && lastPart(word) == lastPart(program)
    }

    private static func lastPart(_ path: String) -> String {
        path.split(separator: "/").last.map { String($0) } ?? path
    }
}
