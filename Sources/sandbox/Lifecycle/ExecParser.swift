/// The lean parser of `sandbox exec`. What it can't take (help, a mistake) it hands over to `ExecCommand`, which words
/// all errors.
struct ExecParser {
    /// The word at an index; nil when its bytes are not UTF-8.
    var word: (Int) -> String?
    var count: Int
    /// A variable of the caller's environment.
    var variable: (String) -> String?

    /// `[OPTION…] NAME [OPTION…] [--] COMMAND…`; nil when the general parser must look at the line.
    func parse(from start: Int) throws(UsageError) -> ExecRequest? {
        var request = ExecRequest(name: "")
        let walk = OptionWalk(word: word, count: count, options: ExecRequest.options)
        func options(from index: Int) throws(UsageError) -> (index: Int, isClosed: Bool)? {
            try walk.end(from: index) { option, value throws(UsageError) in
                try request.apply(option, value, variable: variable)
            }
        }
        guard let place = try options(from: start), place.index < count else { return nil }
        request.name = try walk.text(at: place.index)
        guard let end = place.isClosed ? (place.index + 1, true) : try options(from: place.index + 1), end.index < count
        else { return nil }
        request.commandStart = end.index
        request.command = walk.rest(from: end.index)
        return request
    }
}
