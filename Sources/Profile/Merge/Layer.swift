/// One source of values: a file, or what the command line sets.
struct Layer: Sendable {
    /// How a layer's lists meet those below.
    enum Mode: Sendable {
        /// Items are added; `"!x"` takes `x` out.
        case append
        /// The list is replaced, unless every item takes something out.
        case assign
    }
    /// Nil on the command line.
    let document: TOMLDocument?
    let value: Value
    var mode = Mode.append

    static let commandLine = SourceReference(file: "command line")

    init(_ document: TOMLDocument) {
        self.document = document
        value = document.value
    }

    init(commandLine value: Value, mode: Mode) {
        document = nil
        self.value = value
        self.mode = mode
    }

    /// The file, without a line.
    var reference: SourceReference { document.map { SourceReference(file: $0.file) } ?? Layer.commandLine }

    func place(of path: DocumentPath, key: Bool) -> SourceReference {
        document?.place(of: path, key: key) ?? Layer.commandLine
    }
}
