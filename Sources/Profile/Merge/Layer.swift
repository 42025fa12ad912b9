/// One source of values: a file, what the command line sets, or a document that was no text.
struct Layer: Sendable {
    /// How a layer's lists meet those below.
    enum Mode: Sendable {
        /// Items are added; `"!x"` takes `x` out.
        case append
        /// The list is replaced, unless every item takes something out.
        case assign
    }
    /// Nil where there is no text.
    let document: TOMLDocument?
    let value: Value
    var mode = Mode.append
    /// What it is without a line.
    let reference: SourceReference

    static let commandLine = SourceReference(file: "command line")

    init(_ document: TOMLDocument) {
        self.document = document
        value = document.value
        reference = SourceReference(file: document.file)
    }

    init(_ value: Value, file: String) {
        document = nil
        self.value = value
        reference = SourceReference(file: file)
    }

    init(commandLine value: Value, mode: Mode) {
        document = nil
        self.value = value
        self.mode = mode
        reference = Layer.commandLine
    }

    func place(of path: DocumentPath, key: Bool) -> SourceReference {
        document?.place(of: path, key: key) ?? reference
    }
}
