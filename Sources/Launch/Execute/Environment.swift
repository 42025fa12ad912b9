import Profile

/// The command's environment: the plan's, and what follows from the box's user.
struct Environment {
    let entries: [String]

    init(_ plan: LaunchPlan, _ identity: BoxIdentity?) {
        var entries = plan.environment
        let set = plan.process.environment.set
        func put(_ name: String, _ value: String) {
            if set[name] != nil { return }
            entries.removeAll { environmentName($0) == name }
            entries.append("\(name)=\(value)")
        }
        if let account = identity?.account {
            put("HOME", account.home)
            put("USER", account.name)
            put("LOGNAME", account.name)
            if !account.shell.isEmpty { put("SHELL", account.shell) }
        }
        if let directory = plan.workingDirectory { put("PWD", directory) }
        self.entries = entries
    }
}
