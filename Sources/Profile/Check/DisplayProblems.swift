extension Profile {
    /// What of the profile contradicts its display: a key, what is wrong with it, and the mend.
    /// - Parameter unshare: the namespaces that the box gets.
    public func displayProblems(
        unsharing unshare: NamespaceSet
    ) -> [(key: String, text: String, mend: String)] {
        if display == Display() { return [] }
        var problems: [(key: String, text: String, mend: String)] = []
        func add(_ key: String, _ text: String, _ mend: String) { problems.append((key, text, mend)) }
        let wantsMounts = [("server", display.server != .none), ("gpu", display.gpu), ("sound", display.sound)]
        for (key, isWanted) in wantsMounts where isWanted && !unshare.contains(.mount) {
            add(
                "display.\(key)", "needs a mount namespace of the box's own",
                "add \"mount\" to namespaces.unshare or take this out")
        }
        guard display.server != .none else { return problems }
        for name in Profile.Display.variables where process.environment.set[name] != nil {
            add(
                DocumentPath(keys: ["process", "environment", "set", name]).text,
                "display.server = \"\(display.server.rawValue)\" sets it", "take one of them out")
        }
        if !unshare.contains(.net), namespaces.join[.net] == nil {
            add(
                "display.server",
                "needs a net namespace of the box's own: X clients look for an abstract socket first, and that of the host's "
                    + "server is in the host's",
                "add \"net\" to namespaces.unshare, with network.attach = \"user\" for a network")
        }
        guard display.server == .host else {
            if display.securityContext == .required {
                add("display.wayland-security-context", "the display is not the host's", "take it out")
            }
            return problems
        }
        if checkpoint.enabled {
            add(
                "display.server",
                "a connection to the host's display cannot be saved, and checkpoint.enabled asks for that",
                "set it to \"private\"")
        }
        return problems
    }
}
