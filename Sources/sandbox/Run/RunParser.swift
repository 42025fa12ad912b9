/// The launch path's parser of `sandbox run`: one walk over the words with the table of options, nothing else.
///
/// A general argument parser's reflection costs a millisecond, as much as the launch itself. What this one can't take
/// (help, a mistake) it hands over to `RunCommand`, which words all errors.
struct RunParser {
    /// The word at an index; nil when its bytes are not UTF-8.
    var word: (Int) -> String?
    var count: Int
    /// The caller's working directory.
    var directory: () -> String

    /// The request, or nil when the general parser must look at the line. Errors are those of an option's value.
    func parse(from start: Int) throws(UsageError) -> RunRequest? {
        var request = RunRequest()
        var index = start
        while index < count {
            guard let text = word(index) else { throw UsageError("argument \(index) is not valid UTF-8") }
            if text == "--" {
                index += 1
                break
            }
            guard text.utf8.first == UInt8(ascii: "-"), text.utf8.count > 1 else { break }
            guard let next = try parse(text, at: index, into: &request) else { return nil }
            index = next
        }
        if index < count { takeCommand(from: index, into: &request) }
        return request
    }

    /// Takes the option at `index` with its value and returns the index after it; nil: not one of ours.
    private func parse(_ text: String, at index: Int, into request: inout RunRequest) throws(UsageError) -> Int? {
        text.utf8.starts(with: "--".utf8)
            ? try parseLong(text, at: index, into: &request) : try parseShort(text, at: index, into: &request)
    }

    private func parseLong(_ text: String, at index: Int, into request: inout RunRequest) throws(UsageError) -> Int? {
        let body = text.utf8.dropFirst(2)
        let equals = body.firstIndex(of: UInt8(ascii: "="))
        guard
            let option = RunOption.all.first(where: { $0.long.utf8.elementsEqual(body[..<(equals ?? body.endIndex)]) })
        else { return nil }
        if option.placeholder == nil {
            if equals != nil { return nil }
            try request.apply(option, "", directory: directory)
            return index + 1
        }
        if let equals {
            try request.apply(option, String(Substring(body[equals...].dropFirst())), directory: directory)
            return index + 1
        }
        guard let value = try value(at: index + 1) else { return nil }
        try request.apply(option, value, directory: directory)
        return index + 2
    }

    /// `-p NAME`, `-pNAME`, `-tp NAME`.
    private func parseShort(_ text: String, at index: Int, into request: inout RunRequest) throws(UsageError) -> Int? {
        var rest = text.dropFirst()
        while let letter = rest.popFirst() {
            guard let option = RunOption.named(letter) else { return nil }
            if option.placeholder == nil {
                try request.apply(option, "", directory: directory)
                continue
            }
            if !rest.isEmpty {
                try request.apply(option, String(rest), directory: directory)
                return index + 1
            }
            guard let value = try value(at: index + 1) else { return nil }
            try request.apply(option, value, directory: directory)
            return index + 2
        }
        return index + 1
    }

    private func value(at index: Int) throws(UsageError) -> String? {
        guard index < count else { return nil }
        guard let text = word(index) else { throw UsageError("argument \(index) is not valid UTF-8") }
        return text
    }

    /// The rest belongs to the command, untouched. Its words are shown with replacement characters where they are not
    /// UTF-8, and executed from `commandStart`.
    private func takeCommand(from index: Int, into request: inout RunRequest) {
        request.commandStart = index
        request.command = (index..<count).map { word($0) ?? "\u{fffd}" }
    }
}
