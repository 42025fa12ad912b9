extension ProfileStore {
    /// Everything that is wrong with profiles merged left to right, or of no effect; `exists` as in
    /// `LoadedProfile.warnings`.
    public func check(
        _ names: [String], overrides: [Override] = [], exists: ((String) -> Bool)? = nil
    ) -> [Finding] {
        do {
            var findings: [Finding] = []
            let layers = try layers(names, overrides)
            for layer in layers { findings += Validation(layer).findings }
            guard findings.isEmpty else { return findings }
            let loaded = try LoadedProfile(layers)
            return loaded.contradictions() + loaded.warnings(exists: exists)
        } catch {
            return [Finding(error)]
        }
    }

    func layers(_ names: [String], _ overrides: [Override]) throws(ProfileError) -> [Layer] {
        var chain = Chain(self)
        for name in names { try chain.add(name, from: nil) }
        var layers = chain.layers
        for override in overrides { layers.append(try override.layer()) }
        return layers
    }
}
