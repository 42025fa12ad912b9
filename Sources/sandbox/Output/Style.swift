import Glibc

/// Colour and weight on a terminal; plain text everywhere else.
struct Style: Equatable {
    enum Colour: Int { case red = 31, green = 32, yellow = 33, blue = 34 }

    var isColoured: Bool

    /// Colour only on a terminal that is not `dumb`, and never when `NO_COLOR` is set and not empty (no-color.org).
    init(isTerminal: Bool, noColour: String?, term: String?) {
        isColoured = isTerminal && (noColour ?? "").isEmpty && term != "dumb" && !(term ?? "").isEmpty
    }

    /// The style of standard output.
    static var output: Style {
        Style(
            isTerminal: isatty(STDOUT_FILENO) == 1, noColour: environmentVariable("NO_COLOR"),
            term: environmentVariable("TERM"))
    }

    func callAsFunction(_ colour: Colour, _ text: String) -> String {
        isColoured ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    /// Dark on light where it is light on dark.
    func reversed(_ text: String) -> String { isColoured ? "\u{1b}[7m\(text)\u{1b}[0m" : text }

    func bold(_ text: String) -> String { isColoured ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
}

/// getenv(3), copied.
func environmentVariable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
