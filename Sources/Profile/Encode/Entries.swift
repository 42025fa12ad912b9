/// A table in the making; what is absent or empty is left out.
struct Entries {
    private var list: [(key: String, value: Value)] = []

    var value: Value { .table(list) }

    mutating func add(_ key: String, _ value: Value) { list.append((key, value)) }

    mutating func add(_ key: String, section: Value) {
        if case .table(let entries) = section, !entries.isEmpty { add(key, section) }
    }

    mutating func add(_ key: String, text: String?) {
        if let text { add(key, .string(text)) }
    }

    mutating func add(_ key: String, flag: Bool, usual: Bool) {
        if flag != usual { add(key, .bool(flag)) }
    }

    mutating func add(_ key: String, integer: Int?) {
        if let integer { add(key, .integer(integer)) }
    }

    mutating func add(_ key: String, number: UInt64?) {
        if let number { add(key, .number(number)) }
    }

    mutating func add(_ key: String, mode: UInt32?) {
        if let mode { add(key, .string("0" + String(mode, radix: 8))) }
    }

    mutating func add(_ key: String, texts: [String]) {
        if !texts.isEmpty { add(key, .strings(texts)) }
    }

    /// An empty list says something where the key's absence says something else.
    mutating func add(_ key: String, exactly texts: [String]?) {
        if let texts { add(key, .strings(texts)) }
    }

    mutating func add(_ key: String, items: [Value]) {
        if !items.isEmpty { add(key, .array(items)) }
    }
}

extension Value {
    /// A number that TOML may not hold as one is written as text.
    static func number(_ number: UInt64) -> Value {
        Int(exactly: number).map { .integer($0) } ?? .string(String(number))
    }
}
