extension LoadedProfile {
    /// A merged document with `overrides` over it, checked as a profile file is; `name` is what errors call it.
    public init(document: Value, name: String, overrides: [Override]) throws(ProfileError) {
        var layers = [Layer(document, file: name)]
        for override in overrides { layers.append(try override.layer()) }
        for layer in layers {
            if let first = Validation(layer).findings.first { throw first.error }
        }
        try self.init(layers)
        if let first = contradictions().first { throw first.error }
    }
}
