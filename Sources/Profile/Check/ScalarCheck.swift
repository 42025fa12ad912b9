extension Kind {
    /// Whether a value is one thing, that a later layer replaces (and `"!"` takes away).
    var isScalar: Bool {
        switch self {
        case .string(.text): false
        case .string, .boolean, .integer, .number, .size, .duration, .limit, .account, .action, .word: true
        case .list, .vector, .oneOrMore, .namespaces, .idMapping, .tables, .section, .map: false
        }
    }

    /// What a list of them holds, in words.
    var plural: String {
        switch self {
        case .integer: "integers"
        case .account: "names or numbers"
        default: "strings"
        }
    }

    /// What is wrong with a scalar; nil when nothing is.
    func problem(with value: Value) -> Form.Problem? {
        switch self {
        case .string(let form):
            if case .string(let text) = value { return form.problem(with: text) }
            if case .octal = form { return wrongType(value, "a string of octal digits", mend: "put it in quotes") }
            return wrongType(value, "a string")
        case .boolean:
            if case .bool = value { return nil }
            return wrongType(value, "true or false")
        case .integer(let range):
            guard case .integer(let number) = value else { return wrongType(value, "an integer") }
            return range.contains(number)
                ? nil
                : Form.Problem("\(number) is out of range", mend: "use \(range.lowerBound) to \(range.upperBound)")
        case .number(let range): return numberProblem(value, range)
        case .size(let minimum): return sizeProblem(value, minimum)
        case .duration(let range): return durationProblem(value, range)
        case .limit: return limitProblem(value)
        case .account: return accountProblem(value)
        case .action: return actionProblem(value)
        case .word:
            return Quantity.word(value) == nil
                ? Form.Problem("no number of 64 bits", mend: "write an integer or text such as \"0xff\"") : nil
        case .list, .vector, .oneOrMore, .namespaces, .idMapping, .tables, .section, .map: return nil
        }
    }

    private func wrongType(_ value: Value, _ expected: String, mend: String? = nil) -> Form.Problem {
        Form.Problem("expected \(expected), not \(value.typeName)", mend: mend)
    }

    private func numberProblem(_ value: Value, _ range: ClosedRange<Double>) -> Form.Problem? {
        let number: Double
        switch value {
        case .integer(let integer): number = Double(integer)
        case .double(let double): number = double
        default: return wrongType(value, "a number")
        }
        return range.contains(number)
            ? nil : Form.Problem("\(number) is out of range", mend: "use \(range.lowerBound) to \(range.upperBound)")
    }

    private func sizeProblem(_ value: Value, _ minimum: Int) -> Form.Problem? {
        switch value {
        case .integer, .string: break
        default: return wrongType(value, "a size", mend: "write bytes, or text such as \"512M\"")
        }
        guard let size = Quantity.size(value) else {
            let text: String
            if case .string(let words) = value { text = Form.quote(words) } else { text = value.compactJSON }
            return Form.Problem("\(text) is no size", mend: "write bytes, or text such as \"512M\" (K, M, G, T)")
        }
        return size >= UInt64(minimum) ? nil : Form.Problem("\(size) is too small", mend: "use \(minimum) or more")
    }

    private func durationProblem(_ value: Value, _ range: ClosedRange<Int>) -> Form.Problem? {
        let mend = "write seconds, or text such as \"100ms\" (ms, s, m, h)"
        switch value {
        case .integer, .string: break
        default: return wrongType(value, "a duration", mend: mend)
        }
        guard let duration = Quantity.duration(value) else {
            let text: String
            if case .string(let words) = value { text = Form.quote(words) } else { text = value.compactJSON }
            return Form.Problem("\(text) is no duration", mend: mend)
        }
        if range.contains(duration) { return nil }
        let bounds = (Quantity.durationText(range.lowerBound), Quantity.durationText(range.upperBound))
        return Form.Problem(
            "\(Quantity.durationText(duration)) is out of range", mend: "use \(bounds.0) to \(bounds.1)")
    }

    private func limitProblem(_ value: Value) -> Form.Problem? {
        let mend = "write a number, \"64M\", \"unlimited\", \"SOFT:HARD\" or { soft = …, hard = … }"
        switch value {
        case .integer, .string, .table: break
        default: return wrongType(value, "a limit", mend: mend)
        }
        if case .table(let entries) = value {
            for entry in entries where entry.key != "soft" && entry.key != "hard" {
                return Form.Problem("unknown key \(Form.quote(entry.key))", mend: "use soft and hard")
            }
        }
        guard let limit = Quantity.limit(value) else { return Form.Problem("no limit", mend: mend) }
        return Quantity.isOrdered(limit) ? nil : Form.Problem("the soft limit is above the hard one")
    }

    private func accountProblem(_ value: Value) -> Form.Problem? {
        switch value {
        case .integer(let number):
            return number >= 0 && number < Int(UInt32.max)
                ? nil : Form.Problem("\(number) is no id", mend: "use 0 to \(UInt32.max - 1)")
        case .string(let text):
            if let number = Quantity.plain(Substring(text)) {
                return number < UInt64(UInt32.max)
                    ? nil : Form.Problem("\(text) is no id", mend: "use 0 to \(UInt32.max - 1)")
            }
            let isPlain =
                !text.isEmpty && !text.hasPrefix("-")
                && text.utf8.allSatisfy { byte in
                    byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: ":") && byte != UInt8(ascii: "/")
                }
            return isPlain ? nil : Form.Problem("\(Form.quote(text)) is no name of a user or group")
        default: return wrongType(value, "a name or a number")
        }
    }

    private func actionProblem(_ value: Value) -> Form.Problem? {
        switch value {
        case .string(let word):
            if Quantity.action(value) != nil { return nil }
            return Form.unknown("action", word, among: Names.actions + Names.errnos)
        case .table:
            return Quantity.action(value) != nil
                ? nil : Form.Problem("no action", mend: "write { errno = \"EPERM\" } or a number from 1 to 4095")
        default:
            return wrongType(value, "an action", mend: "write an errno name, \"kill\", \"log\", \"allow\" or \"trap\"")
        }
    }
}
