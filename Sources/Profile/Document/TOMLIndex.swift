/// The structure of a TOML text: whether it has one, and where each key and value stands.
///
/// The parser gives no places of valid nodes, and its asserts end the process on some texts that are no TOML; so every
/// text passes here first. Places are only recorded for an error or a listing: a launch does without.
struct TOMLIndex {
    struct Place: Equatable {
        var key: TOMLScanner.Position
        var value: TOMLScanner.Position
    }
    /// Where a text ceases to be TOML, and why.
    struct Trouble: Error, Equatable {
        var place: TOMLScanner.Position
        var problem: String
    }

    private var places: [String: Place] = [:]
    private var scanner: TOMLScanner
    /// How many tables each array of tables (`[[name]]`) has so far.
    private var counts: [String: Int] = [:]
    private let isRecording: Bool

    /// Checks a text.
    static func check(_ text: String) throws(Trouble) {
        var index = TOMLIndex(scanning: text, isRecording: false)
        try index.document()
    }

    /// The places in a text that the parser has accepted.
    init(_ text: String) {
        self.init(scanning: text, isRecording: true)
        do { try document() } catch { places = [:] }
    }

    private init(scanning text: String, isRecording: Bool) {
        scanner = TOMLScanner(text)
        self.isRecording = isRecording
    }

    /// The place of a node, or of the nearest one above it.
    func place(of path: DocumentPath) -> Place? {
        var path = path
        while !path.parts.isEmpty {
            if let place = places[path.text] { return place }
            path.parts.removeLast()
        }
        return nil
    }

    /// Where the last value begins that does so on a line, at or before a column.
    func valueStart(before place: TOMLScanner.Position) -> TOMLScanner.Position? {
        var best: TOMLScanner.Position?
        for entry in places.values {
            let start = entry.value
            guard start.line == place.line, start.column <= place.column else { continue }
            if start.column > best?.column ?? 0 { best = start }
        }
        return best
    }

    private mutating func record(_ path: DocumentPath, _ key: TOMLScanner.Position, _ value: TOMLScanner.Position) {
        let text = path.text
        if places[text] == nil { places[text] = Place(key: key, value: value) }
    }

    private func trouble(_ problem: String) -> Trouble { Trouble(place: scanner.position, problem: problem) }

    private mutating func document() throws(Trouble) {
        var section = DocumentPath()
        while true {
            scanner.skipSpace()
            if scanner.isAtEnd { return }
            if scanner.next == UInt8(ascii: "[") {
                section = try header()
            } else {
                try keyValue(under: section, depth: 0)
            }
            scanner.skipBlanks()
            guard scanner.isAtEndOfLine else { throw trouble("more than one thing on a line") }
        }
    }

    /// `[a.b]` or `[[a.b]]`.
    private mutating func header() throws(Trouble) -> DocumentPath {
        let isArray = scanner.starts(with: "[[")
        scanner.advance(isArray ? 2 : 1)
        let keys = try dottedKey()
        guard isArray ? scanner.take("]]") : scanner.take("]") else {
            throw trouble("expected \(isArray ? "]]" : "]") after the table's name")
        }
        var path = DocumentPath()
        guard isRecording else { return path }
        for (offset, part) in keys.enumerated() {
            path = path.appending(part.key)
            record(path, part.at, part.at)
            let text = path.text
            if isArray, offset == keys.count - 1 { counts[text, default: 0] += 1 }
            guard let count = counts[text] else { continue }
            path = path.appending(count - 1)
            record(path, part.at, part.at)
        }
        return path
    }

    private mutating func dottedKey() throws(Trouble) -> [(key: String, at: TOMLScanner.Position)] {
        guard let keys = scanner.dottedKey() else { throw trouble("expected a key") }
        guard keys.count <= TOMLDocument.depthLimit else {
            throw Trouble(place: keys[TOMLDocument.depthLimit].at, problem: "nested too deeply")
        }
        return keys
    }

    private mutating func keyValue(under section: DocumentPath, depth: Int) throws(Trouble) {
        let keys = try dottedKey()
        guard scanner.take("=") else { throw trouble("expected = after the key") }
        scanner.skipBlanks()
        let start = scanner.position
        var path = section
        if isRecording {
            for part in keys {
                path = path.appending(part.key)
                record(path, part.at, start)
            }
        }
        try value(path, depth: depth + 1)
    }

    private mutating func value(_ path: DocumentPath, depth: Int) throws(Trouble) {
        guard depth <= TOMLDocument.depthLimit else { throw trouble("nested too deeply") }
        switch scanner.next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let start = scanner.position
            switch scanner.skipString() {
            case .whole: return
            case .unfinished: throw Trouble(place: start, problem: "a string without an end")
            case .nul: throw trouble("a NUL character cannot be part of a value")
            }
        case UInt8(ascii: "["): try array(path, depth: depth)
        case UInt8(ascii: "{"): try inlineTable(path, depth: depth)
        default: if !scanner.skipScalar() { throw trouble("expected a value") }
        }
    }

    private mutating func array(_ path: DocumentPath, depth: Int) throws(Trouble) {
        scanner.advance()
        var count = 0
        while true {
            scanner.skipSpace()
            if scanner.take("]") { return }
            var item = path
            if isRecording {
                item = path.appending(count)
                record(item, scanner.position, scanner.position)
            }
            try value(item, depth: depth + 1)
            count += 1
            scanner.skipSpace()
            if scanner.take(",") { continue }
            guard scanner.take("]") else { throw trouble("expected , or ] in the list") }
            return
        }
    }

    private mutating func inlineTable(_ path: DocumentPath, depth: Int) throws(Trouble) {
        scanner.advance()
        scanner.skipBlanks()
        if scanner.take("}") { return }
        while true {
            try keyValue(under: path, depth: depth)
            scanner.skipBlanks()
            if scanner.take(",") { continue }
            guard scanner.take("}") else { throw trouble("expected , or } in the table, on the same line") }
            return
        }
    }
}
