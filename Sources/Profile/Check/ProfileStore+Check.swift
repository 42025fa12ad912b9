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
            return loaded.contradictions() + chainFindings(loaded) + loaded.warnings(exists: exists)
        } catch {
            return [Finding(error)]
        }
    }

    /// What is wrong with its chains. To be called on the store of profiles: functions' own chains are theirs too.
    private func chainFindings(_ loaded: LoadedProfile) -> [Finding] {
        let network = loaded.profile.network
        let keys = ["network.chain"] + network.more.indices.map { "network.more[\($0)].chain" }
        var findings: [Finding] = []
        for (key, interface) in zip(keys, [network.interface] + network.more) {
            do throws(ProfileError) {
                _ = try resolve(interface.chain, key: key)
            } catch {
                var error = error
                error.place = error.key.flatMap { loaded.provenance(of: $0) }
                findings.append(Finding(error))
            }
        }
        return findings
    }

    func layers(_ names: [String], _ overrides: [Override]) throws(ProfileError) -> [Layer] {
        var chain = Chain(self)
        for name in names { try chain.add(name, from: nil) }
        var layers = chain.layers
        for override in overrides { layers.append(try override.layer()) }
        return layers
    }
}
