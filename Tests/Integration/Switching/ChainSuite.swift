/// A suite that looks at and changes chains of functions.
protocol ChainSuite {
    var scene: SwitchScene { get }
    /// The environment of its commands, beside the scene's.
    var own: [String: String] { get }
}

extension ChainSuite {
    var own: [String: String] { [:] }

    /// `sandbox chain`.
    func chain(_ words: String...) throws -> Outcome {
        try scene.box.sandbox(["chain"] + words, environment: own)
    }

    func must(_ words: String...) throws {
        let outcome = try scene.box.sandbox(["chain"] + words, environment: own)
        guard outcome.succeeded else { throw Failure(saying: "\(words): \(outcome)") }
    }

    /// The functions before a sandbox's first interface.
    func hops(_ name: String) throws -> [JSONDocument] {
        try chain("show", name, "--json").document()["interfaces"][0]["chain"].items
    }

    /// All sandboxes, functions too.
    func names() throws -> [String] {
        try scene.box.sandbox(["ps", "-a", "--json"]).document().items.compactMap { $0["name"].text }.sorted()
    }
}
