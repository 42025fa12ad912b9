import Glibc

extension Cgroup {
    /// Stops every process in the group; returns when all of them stand still, or throws ETIMEDOUT with all of them
    /// running again (`cgroup.freeze` in the kernel's cgroup-v2.rst, `freezer.state` in its freezer-subsystem.rst).
    public func freeze(timeoutMilliseconds: Int = 10_000) throws(SystemError) {
        let freezer = try Freezer(self)
        if try freezer.group.processes().contains(getpid()) {
            throw SystemError("freeze \(freezer.group.path)", code: EDEADLK, mend: "this command runs inside it")
        }
        try freezer.ask(frozen: true)
        if try freezer.waits(until: true, milliseconds: timeoutMilliseconds) { return }
        let waiting = try freezer.group.restless()
        try freezer.ask(frozen: false)
        throw SystemError("freeze \(freezer.group.path)", code: ETIMEDOUT, mend: waiting)
    }

    /// Lets the processes of a frozen group go on; one that is not frozen is no error.
    public func thaw() throws(SystemError) {
        let freezer = try Freezer(self)
        try freezer.ask(frozen: false)
        if try freezer.waits(until: false, milliseconds: 1000) { return }
        throw SystemError("thaw \(freezer.group.path)", code: EBUSY, mend: "a group above it is frozen: thaw that")
    }

    /// Whether all processes of the group stand still, be it because a group above is frozen.
    public var isFrozen: Bool {
        get throws(SystemError) { try Freezer(self).isFrozen }
    }
}

/// The leaf through which a group is frozen.
private struct Freezer {
    var group: Cgroup.Group

    init(_ cgroup: Cgroup) throws(SystemError) {
        for group in cgroup.groups where access(group.path + "/" + group.freezerFile, F_OK) == 0 {
            self.group = group
            return
        }
        try cgroup.requireExistence("freeze")
        throw SystemError(
            "freeze \(cgroup.path)", code: ENOTSUP,
            mend: "use control groups version 2 on Linux 5.2 or newer, or version 1's freezer")
    }

    var isFrozen: Bool {
        get throws(SystemError) {
            switch group.version {
            case .v2: return controlWords(try readText(group.path + "/cgroup.events")).pair("frozen") == "1"
            case .v1: return controlWords(try readText(group.path + "/freezer.state")) == ["FROZEN"]
            }
        }
    }

    func ask(frozen: Bool) throws(SystemError) {
        try writeText(group.freezerValue(frozen), to: group.path + "/" + group.freezerFile)
    }

    func waits(until frozen: Bool, milliseconds: Int) throws(SystemError) -> Bool {
        var waited = 0
        var pause = 100
        while try isFrozen != frozen {
            if waited >= milliseconds * 1000 { return false }
            pauseBriefly(microseconds: UInt32(pause))
            waited += pause
            pause = min(pause * 2, 10_000)
            // Version 1 wants to be asked again while it says FREEZING.
            if group.version == .v1 { try ask(frozen: frozen) }
        }
        return true
    }
}

extension Cgroup.Group {
    fileprivate var freezerFile: String { version == .v2 ? "cgroup.freeze" : "freezer.state" }

    fileprivate func freezerValue(_ frozen: Bool) -> String {
        switch version {
        case .v2: frozen ? "1" : "0"
        case .v1: frozen ? "FROZEN" : "THAWED"
        }
    }

    /// Lets what was killed while frozen come to its end: version 1 delivers no signal before.
    func thawToEnd() throws(SystemError) {
        let file = path + "/freezer.state"
        guard version == .v1, access(file, F_OK) == 0 else { return }
        if try controlWords(readText(file)) != ["THAWED"] { try writeText("THAWED", to: file) }
        for child in try groupsBelow(path) { try Self(path: child, version: .v1).thawToEnd() }
    }

    /// Names, where the kernel tells, the processes that do not stand still: version 2's frozen ones wait in a place
    /// of their own (proc_pid_wchan(5)).
    fileprivate func restless() throws(SystemError) -> String {
        let reason = "a process waits in the kernel for a device or a server that does not answer"
        if version == .v1 { return reason }
        var found: [String] = []
        for pid in try processes() {
            do throws(SystemError) {
                if try readText("/proc/\(pid)/wchan").hasPrefix("do_freezer_trap") { continue }
            } catch {
                // Ended, or not the caller's to look at.
                continue
            }
            found.append("\(pid)")
        }
        return found.isEmpty ? reason : reason + ": " + found.prefix(4).joined(separator: ", ")
    }
}
