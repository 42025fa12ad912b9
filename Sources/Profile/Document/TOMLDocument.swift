import TOMLKit

/// A profile file as read: its name and text, and the values it holds.
public struct TOMLDocument: Sendable {
    /// The largest file that is read, in bytes.
    public static let sizeLimit = 1 << 20
    /// How deep keys and values may nest; the language itself needs five.
    static let depthLimit = 64

    /// The name in errors.
    public let file: String
    public let text: String
    public let value: Value

    /// Reads TOML 1.0 (toml.io).
    public init(file: String, bytes: [UInt8]) throws(ProfileError) {
        guard bytes.count <= TOMLDocument.sizeLimit else {
            throw ProfileError(
                place: SourceReference(file: file), problem: "larger than 1 MiB: this is no profile",
                mend: "name a TOML file")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TOMLDocument.badByte(bytes, file: file)
        }
        try self.init(file: file, text: text)
    }

    public init(file: String, text: String) throws(ProfileError) {
        self.file = file
        self.text = text
        try TOMLDocument.checkStructure(text, file: file)
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw TOMLDocument.syntaxError(error, file: file, text: text)
        } catch {
            throw ProfileError(place: SourceReference(file: file), problem: "not readable as TOML")
        }
        guard let value = TOMLDocument.value(of: table, depth: 0) else {
            throw ProfileError(place: SourceReference(file: file), problem: "nested too deeply")
        }
        self.value = value
    }

    /// Where a node stands: its key, or its value.
    func place(of path: DocumentPath, key: Bool) -> SourceReference {
        place(of: path, key: key, in: TOMLIndex(text))
    }

    func place(of path: DocumentPath, key: Bool, in index: TOMLIndex) -> SourceReference {
        guard let place = index.place(of: path) else { return SourceReference(file: file) }
        return reference(key ? place.key : place.value)
    }

    private func reference(_ position: TOMLScanner.Position) -> SourceReference {
        SourceReference(file: file, line: position.line, column: position.column)
    }
}

extension TOMLDocument {
    /// Refuses what the parser would truncate at (NUL), overflow the stack on (endless nesting) or abort at.
    private static func checkStructure(_ text: String, file: String) throws(ProfileError) {
        if text.utf8.contains(0) {
            var line = 1
            var column = 1
            for scalar in text.unicodeScalars {
                if scalar == "\0" { break }
                (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
            }
            throw ProfileError(
                place: SourceReference(file: file, line: line, column: column),
                problem: "a NUL byte: this is no TOML file")
        }
        do {
            try TOMLIndex.check(text)
        } catch {
            throw ProfileError(
                place: SourceReference(file: file, line: error.place.line, column: error.place.column),
                problem: "TOML: " + error.problem)
        }
    }

    private static func badByte(_ bytes: [UInt8], file: String) -> ProfileError {
        var line = 1
        var column = 1
        var decoder = UTF8()
        var input = bytes.makeIterator()
        decoding: while true {
            switch decoder.decode(&input) {
            case .scalarValue("\n"):
                line += 1
                column = 1
            case .scalarValue: column += 1
            case .emptyInput, .error: break decoding
            }
        }
        return ProfileError(
            place: SourceReference(file: file, line: line, column: column),
            problem: "not UTF-8 text: this is no TOML file")
    }

    /// The parser's words. It stops at the end of a number or date: the place given is its beginning.
    private static func syntaxError(_ error: TOMLParseError, file: String, text: String) -> ProfileError {
        var words = ""
        for scalar in error.description.unicodeScalars {
            words.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar)
        }
        let prefix = "Error while parsing "
        if words.hasPrefix(prefix) { words = String(words.dropFirst(prefix.count)) }
        var place = TOMLScanner.Position(line: error.source.begin.line, column: error.source.begin.column)
        if !words.hasPrefix("string") {
            place = TOMLIndex(text).valueStart(before: place) ?? place
        }
        return ProfileError(
            place: SourceReference(file: file, line: place.line, column: place.column), problem: "TOML: " + words)
    }

    private static func value(of table: TOMLTable, depth: Int) -> Value? {
        guard depth <= depthLimit else { return nil }
        var entries: [(key: String, value: Value)] = []
        for key in table.keys {
            guard let node = table[key], let value = value(of: node, depth: depth + 1) else { return nil }
            entries.append((key, value))
        }
        return .table(entries)
    }

    /// Dates, which no key takes, become `null`. A nil is a value nested too deeply.
    private static func value(of node: any TOMLValueConvertible, depth: Int) -> Value? {
        guard depth <= depthLimit else { return nil }
        switch node.type {
        case .string: return node.string.map { .string($0) }
        case .int: return node.int.map { .integer($0) }
        case .double: return node.double.map { .double($0) }
        case .bool: return node.bool.map { .bool($0) }
        case .date, .time, .dateTime: return .null
        case .table:
            guard let table = node.table else { return nil }
            return value(of: table, depth: depth)
        case .array:
            guard let array = node.array else { return nil }
            var items: [Value] = []
            for index in 0..<array.count {
                guard let item = value(of: array[index], depth: depth + 1) else { return nil }
                items.append(item)
            }
            return .array(items)
        }
    }
}
