import Profile

/// A JSON document of the executable's, to be walked: what is not there is `null`.
struct JSONDocument: CustomStringConvertible {
    let value: Value

    init(_ value: Value) { self.value = value }

    /// - Throws: when the text is no document.
    init(_ text: String) throws {
        guard let value = Value(json: text) else { throw Failure(saying: "no JSON: \(text.debugDescription)") }
        self.init(value)
    }

    subscript(key: String) -> JSONDocument { JSONDocument(value[key] ?? .null) }

    subscript(index: Int) -> JSONDocument { index < items.count ? items[index] : JSONDocument(.null) }

    var items: [JSONDocument] {
        guard case .array(let items) = value else { return [] }
        return items.map { JSONDocument($0) }
    }

    var keys: [String] {
        guard case .table(let entries) = value else { return [] }
        return entries.map(\.key)
    }

    var text: String? {
        guard case .string(let text) = value else { return nil }
        return text
    }

    var texts: [String] { items.compactMap(\.text) }

    var number: Int? {
        switch value {
        case .integer(let number): number
        case .double(let number): Int(exactly: number.rounded())
        default: nil
        }
    }

    var numbers: [Int] { items.compactMap(\.number) }

    var isTrue: Bool { value == .bool(true) }
    var isNull: Bool { value == .null }
    var description: String { value.compactJSON }
}

extension Outcome {
    /// Standard output as a document; the run must have succeeded.
    func document() throws -> JSONDocument {
        guard succeeded else { throw Failure(saying: "\(self)") }
        return try JSONDocument(out)
    }
}
