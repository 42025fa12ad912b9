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
        let waiting = try freezer.group.uninterruptible()
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

    /// Names the processes that cannot be frozen (state D of proc_pid_stat(5)).
    fileprivate func uninterruptible() throws(SystemError) -> String {
        var found: [String] = []
        for pid in try processes() where try ProcessIdentity.state(of: pid) == "D" { found.append("\(pid)") }
        if found.isEmpty { return "try again" }
        let listed = found.prefix(4).joined(separator: ", ") + (found.count > 4 ? ", …" : "")
        return "waiting without interruption: \(listed); try again when that is over"
    }
}
