extension Profile {
    /// What of the profile contradicts its buses: a key, what is wrong with it, and the mend.
    /// - Parameter unshare: the namespaces that the box gets.
    public func busProblems(
        unsharing unshare: NamespaceSet
    ) -> [(key: String, text: String, mend: String)] {
        if dbus == DBus() { return [] }
        var problems: [(key: String, text: String, mend: String)] = []
        for (key, prefix, bus) in dbus.all {
            if bus.access != .filtered {
                for (word, entries) in bus.rules where !entries.isEmpty {
                    problems.append((prefix + word, "\(key) is not filtered", "set \(key) = \"filtered\""))
                }
            }
            if bus.access == .closed || bus.access == .filtered, !unshare.contains(.mount) {
                problems.append(
                    (
                        key, "needs a mount namespace of the box's own",
                        "add \"mount\" to namespaces.unshare or take this out"
                    ))
            }
            if bus.access == .filtered { problems += filterProblems(key, unshare) }
        }
        return problems
    }

    private func filterProblems(
        _ key: String, _ unshare: NamespaceSet
    ) -> [(key: String, text: String, mend: String)] {
        var problems: [(key: String, text: String, mend: String)] = []
        if !unshare.contains(.pid) {
            problems.append(
                (
                    key,
                    "needs a pid namespace of the box's own: else the box sees the process that filters, and may take "
                        + "hold of it",
                    "add \"pid\" to namespaces.unshare"
                ))
        }
        for name in DBus.variables where process.environment.set[name] != nil {
            problems.append(
                (
                    DocumentPath(keys: ["process", "environment", "set", name]).text, "\(key) = \"filtered\" sets it",
                    "take one of them out"
                ))
        }
        if checkpoint.enabled {
            problems.append(
                (
                    key, "a connection to the host's bus cannot be saved, and checkpoint.enabled asks for that",
                    "set it to \"none\""
                ))
        }
        return problems
    }
}
