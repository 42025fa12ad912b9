/// Where a value was written: a file and line, or the command line.
public struct SourceReference: Sendable, Equatable, Hashable {
    /// A path, or "command line".
    public var file: String
    /// From 1; nil where there is none.
    public var line: Int?
    public var column: Int?

    public init(file: String, line: Int? = nil, column: Int? = nil) {
        self.file = file
        self.line = line
        self.column = column
    }

    public var text: String {
        guard let line else { return file }
        guard let column else { return "\(file):\(line)" }
        return "\(file):\(line):\(column)"
    }
}
