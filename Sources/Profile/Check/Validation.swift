/// Checks one layer against the schema: unknown keys, wrong types, values that nothing understands.
struct Validation {
    private let layer: Layer
    private(set) var findings: [Finding] = []

    init(_ layer: Layer) {
        self.layer = layer
        table(layer.value, Schema.root, DocumentPath())
    }

    mutating func report(_ path: DocumentPath, key: Bool = false, _ text: String, mend: String? = nil) {
        // An item of a plain list goes by its list's name; the place tells which one it is.
        var named = path
        if case .index? = named.parts.last, !isRecord(path) { named.parts.removeLast() }
        findings.append(
            Finding(
                .error, place: layer.place(of: path, key: key), key: named.parts.isEmpty ? nil : named.text, text: text,
                mend: mend))
    }

    private func isRecord(_ path: DocumentPath) -> Bool {
        if case .tables? = Schema.kind(at: path) { return true }
        return false
    }

    private mutating func wrongType(_ value: Value, _ expected: String, _ path: DocumentPath) {
        report(path, "expected \(expected), not \(value.typeName)")
    }

    private mutating func table(_ value: Value, _ keys: [Key], _ path: DocumentPath) {
        guard case .table(let entries) = value else { return wrongType(value, "a table", path) }
        for entry in entries {
            let inner = path.appending(entry.key)
            if let key = Schema.key(entry.key, in: keys) {
                check(entry.value, key.kind, inner)
            } else {
                unknownKey(entry.key, among: keys, inner)
            }
        }
    }

    private mutating func required(_ value: Value, _ keys: [Key], _ path: DocumentPath) {
        for key in keys where key.isRequired && value[key.name] == nil {
            report(path, "\(Form.quote(key.name)) is missing", mend: "add \(key.name) = \(key.example)")
        }
    }

    private mutating func unknownKey(_ name: String, among keys: [Key], _ path: DocumentPath) {
        var names: [String] = []
        for key in keys { names.append(key.name) }
        report(path, key: true, "unknown key", mend: Schema.mend(unknown: name, among: names))
    }

    mutating func check(_ value: Value, _ kind: Kind, _ path: DocumentPath) {
        if kind.isScalar, value == .string("!") { return }
        switch kind {
        case .section(let keys): table(value, keys(), path)
        case .map(let form, let element): map(value, form, element, path)
        case .tables(let keys, let identity): records(value, keys(), identity, path)
        case .list(let element): list(value, element, path, removals: true)
        case .vector(let element): list(value, element, path, removals: false)
        case .oneOrMore(let form): oneOrMore(value, form, path)
        case .namespaces: namespaces(value, path)
        case .idMapping: idMapping(value, path)
        default: scalar(value, kind, path)
        }
    }

    private mutating func map(_ value: Value, _ form: Form, _ element: Kind, _ path: DocumentPath) {
        guard case .table(let entries) = value else { return wrongType(value, "a table", path) }
        for entry in entries {
            let inner = path.appending(entry.key)
            if case .oneOf(let words) = form, !words().contains(entry.key) {
                report(inner, key: true, "unknown key", mend: Schema.mend(unknown: entry.key, among: words()))
            } else if let problem = form.problem(with: entry.key) {
                report(inner, key: true, problem.text, mend: problem.mend)
            } else {
                check(entry.value, element, inner)
            }
        }
    }

    private mutating func records(_ value: Value, _ keys: [Key], _ identity: [String], _ path: DocumentPath) {
        guard case .array(let items) = value else { return wrongType(value, "a list of tables", path) }
        for (index, item) in items.enumerated() {
            let inner = path.appending(index)
            guard case .table(let entries) = item else {
                wrongType(item, "a table such as \(Schema.sample(keys))", inner)
                continue
            }
            if let removed = Removal.record(item, identity) {
                if removed.isEmpty { report(inner, "\"!\" with nothing after it", mend: "name what to take out") }
                for entry in entries where Schema.key(entry.key, in: keys) == nil {
                    unknownKey(entry.key, among: keys, inner.appending(entry.key))
                }
                continue
            }
            let before = findings.count
            table(item, keys, inner)
            if findings.count == before { required(item, keys, inner) }
            if findings.count == before { options(item, inner) }
            if findings.count == before { mask(item, inner) }
        }
    }

    private mutating func list(_ value: Value, _ element: Kind, _ path: DocumentPath, removals: Bool) {
        guard case .array(let items) = value else {
            return wrongType(value, "a list of \(element.plural)", path)
        }
        for (index, item) in items.enumerated() {
            let inner = path.appending(index)
            guard removals, let removed = Removal.item(item) else {
                check(item, element, inner)
                continue
            }
            if removed.isEmpty {
                report(inner, "\"!\" with nothing after it", mend: "name what to take out")
            } else if case .string = element {
                check(.string(removed), element, inner)
            }
        }
    }

    /// One text, or a list of what is no mere word.
    private mutating func oneOrMore(_ value: Value, _ form: Form, _ path: DocumentPath) {
        guard case .array(let items) = value else { return scalar(value, .string(form), path) }
        list(value, .string(form), path, removals: false)
        for (index, item) in items.enumerated() where items.count > 1 {
            guard case .string(let text) = item, form.words.contains(text),
                !Form.areCompany(items) || items[..<index].contains(item)
            else { continue }
            report(path.appending(index), "\(Form.quote(text)) stands alone", mend: "take it or the others out")
        }
    }

    private mutating func namespaces(_ value: Value, _ path: DocumentPath) {
        switch value {
        case .string(let text):
            let words = ["all", "none"]
            guard !words.contains(text) else { return }
            let isKind = Schema.kindNames.contains(text)
            report(
                path, isKind ? "expected a list" : "unknown value \(Form.quote(text))",
                mend: isKind ? "write [\(Form.quote(text))]" : "use \"all\", \"none\" or a list of namespaces")
        case .array: list(value, .string(.choice(Schema.kindNames + ["all"])), path, removals: true)
        default: wrongType(value, "\"all\", \"none\" or a list of namespaces", path)
        }
    }

    private mutating func idMapping(_ value: Value, _ path: DocumentPath) {
        let mend = "write [\"0 100000 65536\"]: the first id in the box, the first outside, how many"
        switch value {
        case .string(let text):
            if text != "self" && text != "auto" {
                let words = "use \"self\", \"auto\" or \(mend.dropFirst("write ".utf8.count))"
                report(path, "unknown value \(Form.quote(text))", mend: words)
            }
        case .array(let items):
            for (index, item) in items.enumerated() where Removal.item(item) == nil {
                if Quantity.idRange(item) == nil { report(path.appending(index), "no triple of ids", mend: mend) }
            }
        default: wrongType(value, "\"self\", \"auto\" or a list of triples", path)
        }
    }

    private mutating func scalar(_ value: Value, _ kind: Kind, _ path: DocumentPath) {
        guard let problem = kind.problem(with: value) else { return }
        report(path, problem.text, mend: problem.mend)
    }

    /// A filter condition has a mask when its comparison takes one.
    private mutating func mask(_ record: Value, _ path: DocumentPath) {
        let isMasked = record["is"] == .string(Profile.SeccompCondition.Comparison.maskedEqual.rawValue)
        if isMasked, record["mask"] == nil {
            report(path, "\"mask\" is missing", mend: "add mask = \"0xff\" or another")
        } else if !isMasked, record["mask"] != nil {
            report(path.appending("mask"), "only goes with is = \"&==\"")
        }
    }

    /// Mount options that contradict each other.
    private mutating func options(_ record: Value, _ path: DocumentPath) {
        guard case .array(let items)? = record["options"] else { return }
        let groups = [
            ["ro", "rw"], ["bind", "rbind"], ["private", "rprivate", "slave", "rslave", "shared", "rshared"],
        ]
        for group in groups {
            var first: String?
            for (index, item) in items.enumerated() {
                guard case .string(let word) = item, group.contains(word) else { continue }
                if let first, first != word {
                    report(
                        path.appending("options").appending(index),
                        "\(Form.quote(word)) contradicts \(Form.quote(first))", mend: "keep one of them")
                }
                first = first ?? word
            }
        }
    }
}

extension Value {
    /// What it is, with its article.
    var typeName: String {
        switch self {
        case .string: "a string"
        case .integer: "an integer"
        case .double: "a number with a fraction"
        case .bool: "true or false"
        case .array: "a list"
        case .table: "a table"
        case .null: "a date or time"
        }
    }
}
