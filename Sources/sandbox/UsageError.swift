/// A command line that cannot be taken: one line, in the user's words.
struct UsageError: Error, Equatable, CustomStringConvertible {
    var message: String
    /// The command whose help tells more, `sandbox run` for example.
    var command = "sandbox"

    init(_ message: String, command: String = "sandbox run") {
        self.message = message
        self.command = command
    }

    /// What the general parser prints when its validation throws this.
    var description: String { message }
    var line: String { "\(message); see '\(command) --help'" }
}
