extension Profile.Security {
    var document: Value {
        var section = Entries()
        section.add("capabilities", section: capabilities.document)
        section.add("securebits", texts: securebits)
        if let seccomp { section.add("seccomp", seccomp.document) }
        section.add("user-namespaces", text: userNamespaces?.rawValue)
        if uidMap != .own { section.add("uid-map", uidMap.document) }
        if let gidMap { section.add("gid-map", gidMap.document) }
        section.add("landlock", section: landlock.document)
        section.add("terminal-injection", text: terminalInjection?.rawValue)
        return section.value
    }
}

extension Profile.Capabilities {
    fileprivate var document: Value {
        var table = Entries()
        table.add("keep", exactly: keep)
        table.add("ambient", texts: ambient)
        table.add("bounding", exactly: bounding)
        table.add("permitted", exactly: permitted)
        table.add("effective", exactly: effective)
        table.add("inheritable", exactly: inheritable)
        return table.value
    }
}

extension Profile.IDMapping {
    fileprivate var document: Value {
        switch self {
        case .own: return .string("self")
        case .auto: return .string("auto")
        case .explicit(let ranges):
            var triples: [String] = []
            for range in ranges { triples.append("\(range.inside) \(range.outside) \(range.count)") }
            return .strings(triples)
        }
    }
}

extension Profile.Seccomp {
    fileprivate var document: Value {
        let usual = Profile.Seccomp()
        var table = Entries()
        if `default` != usual.default { table.add("default", text: `default`.rawValue) }
        table.add("allow", texts: allow)
        table.add("deny", texts: deny)
        if action != usual.action { table.add("action", action.document) }
        table.add("architectures", texts: architectures)
        var items: [Value] = []
        for rule in rules { items.append(rule.document) }
        table.add("rules", items: items)
        return table.value
    }
}

extension Profile.SeccompAction {
    fileprivate var document: Value {
        switch self {
        case .errno(let text): Int(text).map { .table([("errno", .integer($0))]) } ?? .string(text)
        case .kill: .string("kill")
        case .log: .string("log")
        case .allow: .string("allow")
        case .trap: .string("trap")
        }
    }
}

extension Profile.SeccompRule {
    fileprivate var document: Value {
        var table = Entries()
        table.add("calls", exactly: calls)
        table.add("action", action.document)
        var items: [Value] = []
        for condition in conditions { items.append(condition.document) }
        table.add("when", items: items)
        return table.value
    }
}

extension Profile.SeccompCondition {
    fileprivate var document: Value {
        var table = Entries()
        table.add("argument", integer: argument)
        if comparison != .equal { table.add("is", text: comparison.rawValue) }
        table.add("value", number: value)
        table.add("mask", number: mask)
        return table.value
    }
}

extension Profile.Landlock {
    fileprivate var document: Value {
        var table = Entries()
        if let tcpBind { table.add("tcp-bind", Profile.Landlock.ports(tcpBind)) }
        if let tcpConnect { table.add("tcp-connect", Profile.Landlock.ports(tcpConnect)) }
        var scopes: [String] = []
        for scope in Scope.allCases where self.scope.contains(scope) { scopes.append(scope.rawValue) }
        table.add("scope", texts: scopes)
        return table.value
    }

    private static func ports(_ ports: [UInt16]) -> Value {
        var items: [Value] = []
        for port in ports { items.append(.integer(Int(port))) }
        return .array(items)
    }
}
