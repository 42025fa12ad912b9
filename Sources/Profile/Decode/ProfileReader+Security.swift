extension ProfileReader {
    func security(_ section: Value) throws(ProfileError) -> Profile.Security {
        var security = Profile.Security()
        if let table = section["capabilities"] { security.capabilities = try capabilities(table) }
        security.securebits = try texts(section["securebits"], "security.securebits") ?? []
        if let table = section["seccomp"] { security.seccomp = try seccomp(table) }
        security.userNamespaces = try word(section["user-namespaces"], "security.user-namespaces")
        security.uidMap = try idMapping(section["uid-map"], "security.uid-map") ?? .own
        security.gidMap = try idMapping(section["gid-map"], "security.gid-map")
        if let table = section["landlock"] { security.landlock = try landlock(table) }
        security.terminalInjection = try word(section["terminal-injection"], "security.terminal-injection")
        return security
    }

    private func capabilities(_ table: Value) throws(ProfileError) -> Profile.Capabilities {
        var capabilities = Profile.Capabilities()
        capabilities.keep = try texts(table["keep"], "security.capabilities.keep")
        capabilities.ambient = try texts(table["ambient"], "security.capabilities.ambient") ?? []
        capabilities.bounding = try texts(table["bounding"], "security.capabilities.bounding")
        capabilities.permitted = try texts(table["permitted"], "security.capabilities.permitted")
        capabilities.effective = try texts(table["effective"], "security.capabilities.effective")
        capabilities.inheritable = try texts(table["inheritable"], "security.capabilities.inheritable")
        return capabilities
    }

    private func seccomp(_ table: Value) throws(ProfileError) -> Profile.Seccomp {
        var seccomp = Profile.Seccomp()
        seccomp.default = try word(table["default"], "security.seccomp.default") ?? .allow
        seccomp.allow = try texts(table["allow"], "security.seccomp.allow") ?? []
        seccomp.deny = try texts(table["deny"], "security.seccomp.deny") ?? []
        if let value = table["action"] { seccomp.action = try action(value, "security.seccomp.action") }
        seccomp.architectures = try texts(table["architectures"], "security.seccomp.architectures") ?? []
        for item in try items(table["rules"], "security.seccomp.rules") ?? [] {
            seccomp.rules.append(try rule(item))
        }
        return seccomp
    }

    private func rule(_ table: Value) throws(ProfileError) -> Profile.SeccompRule {
        let key = "security.seccomp.rules"
        guard let calls = try texts(table["calls"], key), let action = table["action"] else { throw notRead(key) }
        var rule = Profile.SeccompRule(calls: calls, action: try self.action(action, key))
        for item in try items(table["when"], key) ?? [] { rule.conditions.append(try condition(item, key)) }
        return rule
    }

    private func condition(_ table: Value, _ key: String) throws(ProfileError) -> Profile.SeccompCondition {
        guard let argument = try integer(table["argument"], key),
            let value = table["value"].flatMap({ Quantity.word($0) })
        else { throw notRead(key) }
        var condition = Profile.SeccompCondition(
            argument: argument, comparison: try word(table["is"], key) ?? .equal, value: value)
        if let mask = table["mask"] {
            guard let bits = Quantity.word(mask) else { throw notRead(key) }
            condition.mask = bits
        }
        return condition
    }

    private func idMapping(_ value: Value?, _ key: String) throws(ProfileError) -> Profile.IDMapping? {
        switch value {
        case nil: return nil
        case .string("self"): return .own
        case .string("auto"): return .auto
        default: break
        }
        var ranges: [Profile.IDRange] = []
        for item in try items(value, key) ?? [] {
            guard let range = Quantity.idRange(item) else { throw notRead(key) }
            ranges.append(range)
        }
        return .explicit(ranges)
    }

    private func landlock(_ table: Value) throws(ProfileError) -> Profile.Landlock {
        var landlock = Profile.Landlock()
        landlock.tcpBind = try integers(table["tcp-bind"], "security.landlock.tcp-bind")
        landlock.tcpConnect = try integers(table["tcp-connect"], "security.landlock.tcp-connect")
        landlock.scope = Set(try words(table["scope"], "security.landlock.scope") ?? [])
        return landlock
    }
}
