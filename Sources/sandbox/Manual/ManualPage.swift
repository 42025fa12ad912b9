/// A manual page in mdoc(7).
struct ManualPage: Equatable {
    var name: String
    var section: Int
    var text = ""

    var fileName: String { "\(name).\(section)" }

    /// `date` as mdoc writes it: `November 23, 2026`.
    init(_ name: String, section: Int, summary: String, date: String = Version.date) {
        self.name = name
        self.section = section
        macro("Dd", date)
        macro("Dt", "\(name.uppercased()) \(section)")
        macro("Os")
        heading("NAME")
        macro("Nm", name)
        macro("Nd", lowercasedSentence(summary))
    }

    mutating func heading(_ title: String) { macro("Sh", title) }
    mutating func subheading(_ title: String) { macro("Ss", title) }

    /// A macro line; `arguments` is already in mdoc's syntax.
    mutating func macro(_ name: String, _ arguments: String = "") {
        text += arguments.isEmpty ? ".\(name)\n" : ".\(name) \(arguments)\n"
    }

    /// Prose, each sentence on a line of its own as mdoc wants it.
    mutating func prose(_ paragraph: String) {
        for sentence in sentences(paragraph) {
            for line in wrapped(sentence, width: 76).split(separator: "\n") { text += mdocText(String(line)) + "\n" }
        }
    }

    mutating func paragraphs(_ list: [String]) {
        for (index, paragraph) in list.enumerated() {
            if index > 0 { macro("Pp") }
            prose(paragraph)
        }
    }

    /// A tagged list; each tag is in mdoc's syntax.
    mutating func list(_ items: [(tag: String, text: String)], width: String = "Ds") {
        macro("Bl", "-tag -width \(width)")
        for item in items {
            macro("It", item.tag)
            prose(item.text)
        }
        macro("El")
    }

    /// Examples: what for, and the line to type.
    mutating func examples(_ list: [(purpose: String, line: String)]) {
        if list.isEmpty { return }
        heading("EXAMPLES")
        for (index, example) in list.enumerated() {
            if index > 0 { macro("Pp") }
            prose(example.purpose)
            macro("Bd", "-literal -offset indent")
            for line in example.line.split(separator: "\n") { text += mdocText(String(line)) + "\n" }
            macro("Ed")
        }
    }

    mutating func seeAlso(_ pages: [(String, Int)]) {
        if pages.isEmpty { return }
        heading("SEE ALSO")
        let sorted = pages.sorted { ($0.1, $0.0.lowercased()) < ($1.1, $1.0.lowercased()) }
        for (index, page) in sorted.enumerated() {
            macro("Xr", "\(page.0) \(page.1)" + (index < sorted.count - 1 ? " ," : ""))
        }
    }
}

/// Text that no line of which is taken for a request.
func mdocText(_ text: String) -> String {
    var safe = ""
    for character in text {
        switch character {
        case "\\": safe += "\\e"
        case "…": safe += "..."
        case "≤": safe += "\\(<="
        default: safe.append(character)
        }
    }
    return safe.hasPrefix(".") || safe.hasPrefix("'") ? "\\&" + safe : safe
}

/// One argument of a macro line.
func mdocArgument(_ text: String) -> String {
    let safe = mdocText(text)
    return safe.contains(" ") || safe.isEmpty ? "\"\(safe)\"" : safe
}

private func lowercasedSentence(_ text: String) -> String {
    let plain = text.hasSuffix(".") ? String(text.dropLast()) : text
    return mdocText(plain.prefix(1).lowercased() + plain.dropFirst(1))
}

/// Cuts after a full stop, question mark or colon that a space and a capital letter, digit or quote follow.
private func sentences(_ paragraph: String) -> [String] {
    var list: [String] = []
    var current = ""
    let words = paragraph.split(whereSeparator: \.isWhitespace)
    for (index, word) in words.enumerated() {
        current += (current.isEmpty ? "" : " ") + word
        let ends = word.hasSuffix(".") || word.hasSuffix("?")
        let next = index + 1 < words.count ? words[index + 1].first : nil
        if ends, next.map({ $0.isUppercase || $0.isNumber || "'/~\"+".contains($0) }) ?? true {
            list.append(current)
            current = ""
        }
    }
    if !current.isEmpty { list.append(current) }
    return list
}
