extension ProfileReader {
    func process(_ section: Value) throws(ProfileError) -> Profile.Process {
        var process = Profile.Process()
        process.command = try texts(section["command"], "process.command") ?? []
        process.user = try account(section["user"], "process.user")
        process.group = try account(section["group"], "process.group")
        process.groups = try texts(section["groups"], "process.groups")
        process.umask = try octal(section["umask"], "process.umask")
        process.workingDirectory = try text(section["working-directory"], "process.working-directory")
        process.hostname = try text(section["hostname"], "process.hostname")
        process.domainname = try text(section["domainname"], "process.domainname")
        process.noNewPrivileges = try flag(section["no-new-privileges"], "process.no-new-privileges") ?? true
        process.terminal = try word(section["terminal"], "process.terminal") ?? .auto
        process.dieWithParent = try flag(section["die-with-parent"], "process.die-with-parent") ?? false
        process.initProcess = try flag(section["init"], "process.init") ?? true
        if let table = section["environment"] { process.environment = try environment(table) }
        process.oomScoreAdjust = try integer(section["oom-score-adjust"], "process.oom-score-adjust")
        process.nice = try integer(section["nice"], "process.nice")
        process.coreLimit = try limit(section["core-limit"], "process.core-limit")
        process.scheduling = try scheduling(section["scheduling"])
        process.ioPriority = try ioPriority(section["io-priority"])
        process.cpuAffinity = try text(section["cpu-affinity"], "process.cpu-affinity")
        process.keepDescriptors = try integers(section["keep-descriptors"], "process.keep-descriptors") ?? []
        process.sessionKeyring = try flag(section["session-keyring"], "process.session-keyring") ?? true
        return process
    }

    private func environment(_ table: Value) throws(ProfileError) -> Profile.Environment {
        var environment = Profile.Environment()
        environment.clear = try flag(table["clear"], "process.environment.clear") ?? false
        environment.keep = try texts(table["keep"], "process.environment.keep") ?? []
        environment.unset = try texts(table["unset"], "process.environment.unset") ?? []
        for entry in try entries(table["set"], "process.environment.set") {
            environment.set[entry.key] = try text(entry.value, "process.environment.set")
        }
        return environment
    }

    private func scheduling(_ table: Value?) throws(ProfileError) -> Profile.Scheduling? {
        guard let table else { return nil }
        let key = "process.scheduling"
        guard let policy: Profile.Scheduling.Policy = try word(table["policy"], key) else {
            throw missing("policy", key, mend: "add policy = \"batch\" or another")
        }
        let priority = try integer(table["priority"], key) ?? 0
        let isRealtime = policy == .fifo || policy == .rr
        guard isRealtime == (priority > 0) else {
            throw ProfileError(
                key: key,
                problem: "priority \(priority) does not go with \(policy.rawValue)",
                mend: isRealtime ? "use 1 to 99" : "leave it out")
        }
        return Profile.Scheduling(policy: policy, priority: priority)
    }

    private func ioPriority(_ table: Value?) throws(ProfileError) -> Profile.IOPriority? {
        guard let table else { return nil }
        let key = "process.io-priority"
        guard let level: Profile.IOPriority.Class = try word(table["class"], key) else {
            throw missing("class", key, mend: "add class = \"best-effort\" or another")
        }
        return Profile.IOPriority(class: level, level: try integer(table["level"], key) ?? 4)
    }

    /// A table that no layer has completed.
    func missing(_ name: String, _ key: String, mend: String) -> ProfileError {
        ProfileError(
            key: key, problem: "\(Form.quote(name)) is missing",
            mend: mend)
    }
}
