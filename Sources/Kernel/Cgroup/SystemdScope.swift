import CLinux
import Glibc

/// A transient scope unit for the calling process, asked from systemd over D-Bus through busctl(1).
///
/// Where systemd runs it owns the tree: groups of others belong below a unit with Delegate=yes (systemd's
/// CGROUP_DELEGATION document; org.freedesktop.systemd1(5), StartTransientUnit).
struct SystemdScope: Equatable {
    var name: String
    var owner: ProcessIdentity
    /// The user's own manager instead of the system's.
    var isUser: Bool

    var unit: String { "sandbox-\(name)\(owner.suffix).scope" }

    /// systemd.scope(5): Delegate hands the subtree to us; the unit is forgotten even when the application fails.
    var arguments: [String] {
        [
            "busctl", isUser ? "--user" : "--system", "--quiet", "call", "org.freedesktop.systemd1",
            "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))",
            unit, "fail", "4", "Description", "s", "sandbox \(name)", "Delegate", "b", "true", "CollectMode", "s",
            "inactive-or-failed", "PIDs", "au", "1", "\(owner.pid)", "0",
        ]
    }

    /// systemd is pid 1 here; the directory alone may be the host's, seen from inside a box.
    static func isSystemdRunning() throws(SystemError) -> Bool {
        guard access("/run/systemd/system", F_OK) == 0 else { return false }
        return controlWords(try readText("/proc/1/comm")) == ["systemd"]
    }

    /// The directory with the socket of the user's own manager.
    static func userBus() -> String? {
        let directory = getenv("XDG_RUNTIME_DIR").map { String(cString: $0) } ?? "/run/user/\(getuid())"
        return access(directory + "/bus", W_OK) == 0 ? directory : nil
    }

    /// Returns when the calling process stands in the scope.
    func start() throws(SystemError) {
        let output = try run()
        guard output.status == 0 else {
            let reason = output.text.split(separator: "\n").first.map { String($0) } ?? "status \(output.status)"
            throw SystemError("ask systemd for \(unit)", code: EPERM, mend: "busctl says: \(reason)")
        }
        // The call returns when the job is queued.
        for _ in 0..<5000 {
            if try readText("/proc/self/cgroup").contains("/" + unit) { return }
            pauseBriefly(microseconds: 1000)
        }
        throw SystemError("wait for \(unit)", code: ETIMEDOUT, mend: "see: systemctl status \(unit)")
    }

    private func run() throws(SystemError) -> (status: Int32, text: String) {
        let path = "/usr/bin/busctl"
        guard access(path, X_OK) == 0 else {
            throw SystemError("ask systemd for \(unit)", code: ENOENT, mend: "install busctl (Debian: systemd)")
        }
        var environment = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"]
        if isUser, let directory = Self.userBus() {
            environment += ["XDG_RUNTIME_DIR=" + directory, "DBUS_SESSION_BUS_ADDRESS=unix:path=\(directory)/bus"]
        }
        var ends: [Int32] = [0, 0]
        try check("pipe") { pipe2(&ends, O_CLOEXEC) }
        let reading = Descriptor(ends[0])
        let pid = try spawn(path, arguments, environment, output: ends[1])
        let text = try readText(reading.number, name: "busctl's output")
        var status: Int32 = 0
        try check("wait for busctl") { waitpid(pid, &status, 0) }
        return (linux_exited(status) != 0 ? linux_exit_status(status) : 128 + linux_term_signal(status), text)
    }
}

/// Starts a program with both outputs on `output`, which is closed here.
private func spawn(
    _ path: String, _ arguments: [String], _ environment: [String], output: Int32
) throws(SystemError) -> Int32 {
    defer { close(output) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    var pid: Int32 = 0
    var argv = arguments.map { strdup($0) } + [nil]
    var envp = environment.map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    let code = posix_spawn(&pid, path, &actions, nil, &argv, &envp)
    if code != 0 { throw SystemError("start \(path)", code: code) }
    return pid
}
