extension Profile.Process {
    var document: Value {
        let usual = Profile.Process()
        var section = Entries()
        section.add("command", texts: command)
        section.add("user", text: user)
        section.add("group", text: group)
        section.add("groups", exactly: groups)
        section.add("umask", mode: umask)
        section.add("working-directory", text: workingDirectory)
        section.add("hostname", text: hostname)
        section.add("domainname", text: domainname)
        section.add("no-new-privileges", flag: noNewPrivileges, usual: usual.noNewPrivileges)
        if terminal != usual.terminal { section.add("terminal", text: terminal.rawValue) }
        section.add("die-with-parent", flag: dieWithParent, usual: usual.dieWithParent)
        section.add("init", flag: initProcess, usual: usual.initProcess)
        section.add("environment", section: environment.document)
        section.add("oom-score-adjust", integer: oomScoreAdjust)
        section.add("nice", integer: nice)
        if let coreLimit { section.add("core-limit", coreLimit.document) }
        if let scheduling { section.add("scheduling", scheduling.document) }
        if let ioPriority { section.add("io-priority", ioPriority.document) }
        section.add("cpu-affinity", text: cpuAffinity)
        var descriptors: [Value] = []
        for number in keepDescriptors { descriptors.append(.integer(Int(number))) }
        section.add("keep-descriptors", items: descriptors)
        section.add("session-keyring", flag: sessionKeyring, usual: usual.sessionKeyring)
        return section.value
    }
}

extension Profile.Environment {
    fileprivate var document: Value {
        var table = Entries()
        table.add("clear", flag: clear, usual: false)
        table.add("keep", texts: keep)
        table.add("unset", texts: unset)
        var variables = Entries()
        for (name, value) in set.entries { variables.add(name, text: value) }
        table.add("set", section: variables.value)
        return table.value
    }
}

extension Profile.Scheduling {
    fileprivate var document: Value {
        var table = Entries()
        table.add("policy", text: policy.rawValue)
        table.add("priority", integer: priority == 0 ? nil : priority)
        return table.value
    }
}

extension Profile.IOPriority {
    fileprivate var document: Value {
        var table = Entries()
        table.add("class", text: `class`.rawValue)
        table.add("level", integer: level == 4 ? nil : level)
        return table.value
    }
}
