import Glibc

/// Carries out the steps of a plan; what was done before a failure is undone.
struct CgroupExecution {
    /// The version 2 group in which this process stands, for the "no internal processes" rule.
    var own: String?
    private var undo: [Undo] = []

    private enum Undo {
        case remove(String, shared: Bool)
        case rejoin(String)
    }

    init(own: String?) { self.own = own }

    mutating func run(_ plan: CgroupPlan) throws(SystemError) -> Cgroup {
        var groups: [Cgroup.Group] = []
        for leaf in plan.leaves where !leaf.isOptional || leaf.isJoinable {
            if try make(leaf) { groups.append(leaf.group) }
        }
        return Cgroup(groups: groups)
    }

    /// False where an optional leaf cannot be made.
    private mutating func make(_ leaf: CgroupPlan.Leaf) throws(SystemError) -> Bool {
        let done = undo.count
        for _ in 0..<64 {
            guard let failure = firstFailure(of: leaf.steps) else { return true }
            var left = unwind(to: done)
            // A concurrent clean-up took a shared directory away in between: once more.
            if failure.isRaced, left.isEmpty { continue }
            if leaf.isOptional, left.isEmpty { return false }
            left += unwind(to: 0)
            if left.isEmpty { throw failure.error }
            var error = failure.error
            error.mend = (error.mend.map { $0 + "; " } ?? "") + "left behind: " + left.joined(separator: ", ")
            throw error
        }
        if leaf.isOptional { return false }
        _ = unwind(to: 0)
        throw SystemError("make control group \(leaf.group.path)", code: EAGAIN)
    }

    private mutating func firstFailure(of steps: [CgroupStep]) -> (error: SystemError, isRaced: Bool)? {
        for step in steps {
            do throws(SystemError) {
                try perform(step)
            } catch {
                return (error, error.code == ENOENT && step.isRaced)
            }
        }
        return nil
    }

    private mutating func perform(_ step: CgroupStep) throws(SystemError) {
        switch step {
        case .make(let path, let shared): try make(path, shared: shared)
        case .verify(let path): try verify(path)
        case .enable(let controllers, let group, let keys): try enable(controllers, group, keys)
        case .offer(let controllers, let group): try offer(controllers, group)
        case .inherit(let file, let from, let to): try inherit(file, from, to)
        case .set(let setting, let group): try setting.write(to: group)
        }
        CrashPoint.pass("group step")
    }

    private mutating func make(_ path: String, shared: Bool) throws(SystemError) {
        if mkdir(path, 0o755) == 0 {
            undo.append(.remove(path, shared: shared))
        } else if errno != EEXIST || !shared {
            let code = errno
            throw SystemError("make control group \(path)", code: code, mend: mend(code))
        }
    }

    /// Children of a threaded group take no processes (the kernel's cgroup-v2.rst, Threads).
    private func verify(_ path: String) throws(SystemError) {
        if try readText(path + "/cgroup.type") == "domain\n" { return }
        throw SystemError("use control group \(path)", code: EOPNOTSUPP, mend: "a group above it is threaded")
    }

    private mutating func enable(_ controllers: [String], _ group: String, _ keys: [String]) throws(SystemError) {
        let file = group + "/cgroup.subtree_control"
        let enabled = controlWords(try readText(file))
        let lacking = controllers.filter { !enabled.contains($0) }
        if lacking.isEmpty { return }
        let text = lacking.map { "+" + $0 }.joined(separator: " ")
        do throws(SystemError) {
            guard try isFree(group) else { throw SystemError("", code: EBUSY) }
            try writeText(text, to: file)
        } catch {
            let mend = error.code == EBUSY ? try occupied(group) : mend(error.code)
            let action = "\(keys.joined(separator: ", ")): write \(text) to \(file)"
            throw SystemError(action, code: error.code, mend: mend)
        }
    }

    /// Enables what it can: a group in use by others hands nothing down, and some controllers have conditions of
    /// their own.
    private mutating func offer(_ controllers: [String], _ group: String) throws(SystemError) {
        let file = group + "/cgroup.subtree_control"
        let available = controlWords(try readText(group + "/cgroup.controllers"))
        let enabled = controlWords(try readText(file))
        let lacking = controllers.filter { available.contains($0) && !enabled.contains($0) }
        if lacking.isEmpty { return }
        guard try isFree(group) else { return }
        if isWritten("+" + lacking.joined(separator: " +"), to: file) { return }
        for controller in lacking { _ = isWritten("+" + controller, to: file) }
    }

    private func isWritten(_ text: String, to file: String) -> Bool {
        do throws(SystemError) {
            try writeText(text, to: file)
            return true
        } catch {
            return false
        }
    }

    /// Whether no process lives in a group itself; ours steps down into a leaf.
    ///
    /// One with processes cannot hand controllers to its children; those for threads it could, but then the children
    /// take no processes. The topmost group is exempt.
    private mutating func isFree(_ group: String) throws(SystemError) -> Bool {
        guard group == own, access(group + "/cgroup.type", F_OK) == 0 else { return true }
        let inhabitants = controlWords(try readText(group + "/cgroup.procs"))
        if inhabitants == ["\(getpid())"] {
            try leave(group)
            return true
        }
        return inhabitants.isEmpty
    }

    private mutating func leave(_ group: String) throws(SystemError) {
        guard let identity = try ProcessIdentity(pid: getpid()) else { return }
        let launcher = group + "/sandbox/" + identity.launcherName
        try make(launcher, shared: true)
        try writeText("0", to: launcher + "/cgroup.procs")
        undo.append(.rejoin(group))
    }

    private func occupied(_ group: String) throws(SystemError) -> String {
        let others = controlWords(try readText(group + "/cgroup.procs")).filter { $0 != "\(getpid())" }
        let listed = others.prefix(4).joined(separator: ", ") + (others.count > 4 ? ", …" : "")
        return "processes live in \(group) itself (\(listed)), so it cannot limit groups below it: "
            + "start this one in a group of its own (systemd-run --user --scope -p Delegate=yes)"
    }

    private func inherit(_ file: String, _ from: String, _ to: String) throws(SystemError) {
        guard controlWords(try readText("\(to)/\(file)")).isEmpty else { return }
        let value = controlWords(try readText("\(from)/\(file)")).joined(separator: ",")
        do throws(SystemError) {
            try writeText(value, to: "\(to)/\(file)")
        } catch {
            throw SystemError("write \(value) to \(to)/\(file)", code: error.code, mend: mend(error.code))
        }
    }

    /// Takes back what was done, last first, but for the first `kept` things; returns what could not be.
    private mutating func unwind(to kept: Int) -> [String] {
        var left: [String] = []
        while undo.count > kept, let last = undo.popLast() {
            switch last {
            case .remove(let path, let shared):
                if rmdir(path) == 0 || errno == ENOENT { continue }
                // Another application's leaf is in it by now.
                if shared, errno == EBUSY || errno == ENOTEMPTY { continue }
                left.append(path)
            case .rejoin(let group):
                do throws(SystemError) {
                    try writeText("0", to: group + "/cgroup.procs")
                } catch {
                    // It hands out controllers by now; the launcher ends, and what it stands in is swept.
                    if error.code != EBUSY { left.append("this process outside \(group)") }
                }
            }
        }
        return left
    }
}

extension CgroupPlan.Leaf {
    /// Whether the caller may move processes down from the group that the leaf is made in.
    fileprivate var isJoinable: Bool {
        access(groupAbove(groupAbove(group.path)) + "/cgroup.procs", W_OK) == 0
    }
}

extension CgroupStep {
    /// Whether "no such file" can come from another command that removed the shared `sandbox` directory.
    fileprivate var isRaced: Bool {
        switch self {
        case .make, .enable, .offer, .verify, .inherit: return true
        case .set(let setting, let group):
            let controller = setting.choices.first?.file.prefix { $0 != "." } ?? ""
            do throws(SystemError) {
                return !controlWords(try readText(group + "/cgroup.controllers")).contains(String(controller))
            } catch {
                return access(group, F_OK) != 0
            }
        }
    }
}

extension CgroupSetting {
    /// The first choice that the kernel has a file for.
    func choice(in group: String) -> Choice? {
        for choice in choices where access("\(group)/\(choice.file)", F_OK) == 0 { return choice }
        return nil
    }

    /// Writes the choice that there is.
    func write(to group: String) throws(SystemError) {
        guard let choice = choice(in: group) else {
            let files = choices.map(\.file).joined(separator: " or ")
            throw SystemError("\(key): write \(files) in \(group)", code: ENOENT, mend: absentMend)
        }
        do throws(SystemError) {
            try writeText(choice.value, to: "\(group)/\(choice.file)")
        } catch {
            let action = "\(key): write \(choice.value) to \(group)/\(choice.file)"
            throw SystemError(action, code: error.code, mend: valueMend(error.code, group))
        }
        try checkGranted(choice, group)
    }

    /// The kernel takes CPUs that it cannot give and quietly uses others: that is no limit.
    private func checkGranted(_ choice: Choice, _ group: String) throws(SystemError) {
        guard let granted else { return }
        let effective = controlWords(try readText("\(group)/\(granted)")).joined()
        if CPUList(effective) != CPUList(choice.value) {
            throw SystemError(
                "\(key): write \(choice.value) to \(group)/\(choice.file)", code: EINVAL,
                mend: "of these CPUs the kernel grants only \(effective.isEmpty ? "none" : effective)")
        }
    }

    private func valueMend(_ code: Int32, _ group: String) -> String? {
        switch (key, code) {
        case ("resources.cpuset", EINVAL), ("resources.cpuset", EACCES), ("resources.cpuset", ERANGE),
            ("resources.cpuset", ENOSPC):
            return "give CPUs that are there and that the group above may use (lscpu)"
        case (_, EBUSY): return "more is in use already: raise the limit"
        case ("resources.cpu", EINVAL): return "the group above allows less: lower it"
        case (_, EINVAL), (_, ERANGE): return "the kernel does not take this value"
        default: return mend(code)
        }
    }

    private var absentMend: String {
        switch key {
        case "resources.memory-swap": return "the kernel does not account swap: boot with swapaccount=1"
        case "resources.io-weight": return "no I/O scheduler with weights is there: load one (modprobe bfq)"
        default: return "the kernel was built without it"
        }
    }
}

/// What helps against an errno value, wherever in the tree it comes from.
private func mend(_ code: Int32) -> String? {
    switch code {
    case EACCES, EPERM:
        return "run as root, or in a group delegated to you (systemd-run --user --scope -p Delegate=yes)"
    case EROFS: return "the control group tree is mounted read-only here"
    case EAGAIN: return "a group above allows no more groups (cgroup.max.descendants, cgroup.max.depth)"
    case ENOSPC: return "the group above has too little left"
    default: return nil
    }
}
