/// Where each key and value of a TOML text stands. Built only for an error or a listing: a launch does without.
struct TOMLIndex {
    struct Place: Equatable {
        var key: TOMLScanner.Position
        var value: TOMLScanner.Position
    }

    private var places: [String: Place] = [:]
    private var scanner: TOMLScanner
    /// How many tables each array of tables (`[[name]]`) has so far.
    private var counts: [String: Int] = [:]
    private let deepest: Int
    /// The first key with more than `deepest` parts, or value nested further than that.
    private(set) var tooDeep: TOMLScanner.Position?
    /// The first escaped NUL in a string.
    private(set) var nul: TOMLScanner.Position?

    init(_ text: String, deepest: Int = 64) {
        scanner = TOMLScanner(text)
        self.deepest = deepest
        document()
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

    private mutating func record(_ path: DocumentPath, _ key: TOMLScanner.Position, _ value: TOMLScanner.Position) {
        let text = path.text
        if places[text] == nil { places[text] = Place(key: key, value: value) }
    }

    private mutating func document() {
        var section = DocumentPath()
        while true {
            scanner.skipSpace()
            if scanner.isAtEnd { return }
            if scanner.next == UInt8(ascii: "[") {
                guard let path = header() else { return }
                section = path
            } else if !keyValue(under: section, depth: 0) {
                return
            }
            scanner.skipLine()
        }
    }

    /// `[a.b]` or `[[a.b]]`.
    private mutating func header() -> DocumentPath? {
        let isArray = scanner.starts(with: "[[")
        scanner.advance(isArray ? 2 : 1)
        guard let keys = dottedKey() else { return nil }
        var path = DocumentPath()
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

    private mutating func dottedKey() -> [(key: String, at: TOMLScanner.Position)]? {
        guard let keys = scanner.dottedKey() else { return nil }
        guard keys.count <= deepest else {
            tooDeep = tooDeep ?? keys[deepest].at
            return nil
        }
        return keys
    }

    private mutating func keyValue(under section: DocumentPath, depth: Int) -> Bool {
        guard let keys = dottedKey() else { return false }
        scanner.skipBlanks()
        guard scanner.take("=") else { return false }
        scanner.skipBlanks()
        let start = scanner.position
        var path = section
        for part in keys {
            path = path.appending(part.key)
            record(path, part.at, start)
        }
        return value(path, depth: depth + 1)
    }

    private mutating func value(_ path: DocumentPath, depth: Int) -> Bool {
        guard depth <= deepest else {
            tooDeep = tooDeep ?? scanner.position
            return false
        }
        switch scanner.next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return scanner.skipString(nul: &nul)
        case UInt8(ascii: "["): return array(path, depth: depth)
        case UInt8(ascii: "{"): return inlineTable(path, depth: depth)
        default: return skipScalar()
        }
    }

    private mutating func skipScalar() -> Bool {
        while let byte = scanner.next {
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), UInt8(ascii: "\n"):
                return true
            default: scanner.advance()
            }
        }
        return true
    }

    private mutating func array(_ path: DocumentPath, depth: Int) -> Bool {
        scanner.advance()
        var count = 0
        while true {
            scanner.skipSpace()
            if scanner.take("]") { return true }
            let item = path.appending(count)
            record(item, scanner.position, scanner.position)
            guard value(item, depth: depth + 1) else { return false }
            count += 1
            scanner.skipSpace()
            if !scanner.take(",") {
                return scanner.take("]")
            }
        }
    }

    private mutating func inlineTable(_ path: DocumentPath, depth: Int) -> Bool {
        scanner.advance()
        while true {
            scanner.skipSpace()
            if scanner.take("}") { return true }
            guard keyValue(under: path, depth: depth) else { return false }
            scanner.skipSpace()
            if !scanner.take(",") {
                return scanner.take("}")
            }
        }
    }
}
