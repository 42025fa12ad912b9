/// One walk over a command line's words with a table of options, nothing else.
///
/// A general argument parser's reflection costs a millisecond, as much as a launch itself.
struct OptionWalk {
    /// The word at an index; nil when its bytes are not UTF-8.
    var word: (Int) -> String?
    var count: Int
    var options: [RunOption]

    typealias Taking = (_ option: RunOption, _ value: String) throws(UsageError) -> Void

    /// Where the options from `start` on end: at the first word that is none, or after `--`. nil when the general parser
    /// must look at the line.
    func end(from start: Int, _ take: Taking) throws(UsageError) -> (index: Int, isClosed: Bool)? {
        var index = start
        while index < count {
            let text = try text(at: index)
            if text == "--" { return (index + 1, true) }
            guard text.utf8.first == UInt8(ascii: "-"), text.utf8.count > 1 else { break }
            guard let next = try parse(text, at: index, take) else { return nil }
            index = next
        }
        return (index, false)
    }

    /// The rest from `index` on, shown with replacement characters where it is not UTF-8.
    func rest(from index: Int) -> [String] { (min(index, count)..<count).map { word($0) ?? "\u{fffd}" } }

    func text(at index: Int) throws(UsageError) -> String {
        guard let text = word(index) else { throw UsageError("argument \(index) is not valid UTF-8") }
        return text
    }

    /// Takes the option at `index` with its value and returns the index after it; nil: not one of the table's.
    private func parse(_ text: String, at index: Int, _ take: Taking) throws(UsageError) -> Int? {
        text.utf8.starts(with: "--".utf8) ? try parseLong(text, at: index, take) : try parseShort(text, at: index, take)
    }

    private func parseLong(_ text: String, at index: Int, _ take: Taking) throws(UsageError) -> Int? {
        let body = text.utf8.dropFirst(2)
        let equals = body.firstIndex(of: UInt8(ascii: "="))
        let name = String(Substring(body[..<(equals ?? body.endIndex)]))
        guard let option = options.firstIndex(where: { $0.long == name }).map({ options[$0] }) else { return nil }
        if option.placeholder == nil {
            if equals != nil { return nil }
            try take(option, "")
            return index + 1
        }
        if let equals {
            try take(option, String(Substring(body[equals...].dropFirst())))
            return index + 1
        }
        guard let value = try value(at: index + 1) else { return nil }
        try take(option, value)
        return index + 2
    }

    /// `-p NAME`, `-pNAME`, `-tp NAME`.
    private func parseShort(_ text: String, at index: Int, _ take: Taking) throws(UsageError) -> Int? {
        var rest = text.dropFirst()
        while let letter = rest.popFirst() {
            guard let option = options.first(where: { $0.short == letter }) else { return nil }
            if option.placeholder == nil {
                try take(option, "")
                continue
            }
            if !rest.isEmpty {
                try take(option, String(rest))
                return index + 1
            }
            guard let value = try value(at: index + 1) else { return nil }
            try take(option, value)
            return index + 2
        }
        return index + 1
    }

    private func value(at index: Int) throws(UsageError) -> String? {
        index < count ? try text(at: index) : nil
    }
}
