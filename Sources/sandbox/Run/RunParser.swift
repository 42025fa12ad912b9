/// The launch path's parser of `sandbox run`. What it can't take (help, a mistake) it hands over to `RunCommand`, which
/// words all errors.
struct RunParser {
    /// The word at an index; nil when its bytes are not UTF-8.
    var word: (Int) -> String?
    var count: Int
    /// The caller's working directory.
    var directory: () -> String

    /// The request, or nil when the general parser must look at the line. Errors are those of an option's value.
    func parse(from start: Int) throws(UsageError) -> RunRequest? {
        var request = RunRequest()
        let walk = OptionWalk(word: word, count: count, options: RunOption.all)
        let end = try walk.end(from: start) { option, value throws(UsageError) in
            try request.apply(option, value, directory: directory)
        }
        guard let index = end?.index else { return nil }
        // The words are executed from there, byte for byte.
        if index < count { request.commandStart = index }
        request.command = walk.rest(from: index)
        return request
    }
}
