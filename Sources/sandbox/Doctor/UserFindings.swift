import Glibc

/// What decides whether an ordinary user may have a user namespace.
struct UserNamespaceFacts: Equatable {
    /// Debian's switch; nil where the kernel has none.
    var unprivilegedClone: Int?
    var maximum: Int?
    /// Ubuntu's AppArmor restriction; nil where the kernel has none.
    var appArmorRestriction: Int?
    /// errno(3) of trying as a user.
    var code: Int32

    static func gather() -> UserNamespaceFacts {
        UserNamespaceFacts(
            unprivilegedClone: number("/proc/sys/kernel/unprivileged_userns_clone"),
            maximum: number("/proc/sys/user/max_user_namespaces"),
            appArmorRestriction: number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
            code: Probe.userAsUser.attempt())
    }

    private static func number(_ path: String) -> Int? {
        fileText(path).flatMap { Int($0.split(whereSeparator: \.isWhitespace).first ?? "") }
    }
}

/// User namespaces for users, and their id ranges.
func userFindings() -> [HostFinding] {
    [userNamespaceFinding(.gather(), isRequired: geteuid() != 0)] + rangeFindings()
}

func userNamespaceFinding(_ facts: UserNamespaceFacts, isRequired: Bool) -> HostFinding {
    let id = "user-namespaces"
    if facts.code == 0 {
        return HostFinding(
            .users, id, .ok, "user namespaces without root, with mounts and networks", isRequired: isRequired)
    }
    let (problem, fix) =
        if facts.unprivilegedClone == 0 {
            ("kernel.unprivileged_userns_clone is 0", "sysctl -w kernel.unprivileged_userns_clone=1")
        } else if facts.maximum == 0 {
            ("user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces=10000")
        } else if (facts.appArmorRestriction ?? 0) != 0 {
            (
                "kernel.apparmor_restrict_unprivileged_userns is \(facts.appArmorRestriction ?? 0)",
                "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
            )
        } else {
            (reason(facts.code), "boot a kernel with CONFIG_USER_NS=y; inside a container, run it with more rights")
        }
    return HostFinding(
        .users, id, .lacking, "user namespaces without root: \(problem)",
        cost: "Only root can run sandbox with namespaces.", fix: fix, isRequired: isRequired)
}

private func rangeFindings() -> [HostFinding] {
    guard findProgram("newuidmap") != nil, findProgram("newgidmap") != nil else {
        return [
            HostFinding(
                .users, "id-ranges", .lacking, "newuidmap and newgidmap are not installed",
                cost: "security.uid-map = \"auto\" fails without root: a user has one id in a box.",
                fix: "apt-get install uidmap")
        ]
    }
    let user = callerName()
    return [("/etc/subuid", "subuid"), ("/etc/subgid", "subgid")].map { path, id in
        rangeFinding(
            id, path: path, name: user.name, number: user.number, text: fileText(path), isRoot: user.number == 0)
    }
}

/// A line `NAME:FIRST:COUNT` of subuid(5) for the caller.
func rangeFinding(_ id: String, path: String, name: String, number: UInt32, text: String?, isRoot: Bool) -> HostFinding
{
    for line in (text ?? "").split(separator: "\n") {
        let fields = line.split(separator: ":")
        guard fields.count == 3, fields[0] == name || fields[0] == "\(number)", let count = Int(fields[2]) else {
            continue
        }
        return HostFinding(.users, id, .ok, "\(path) gives \(name) \(count) ids from \(fields[1]) on")
    }
    if isRoot {
        return HostFinding(.users, id, .note, "\(path) has no range for \(name); root may map any ids without one")
    }
    return HostFinding(
        .users, id, .lacking, "\(path) has no range for \(name)",
        cost: "security.uid-map = \"auto\" fails: a user has one id in a box.",
        fix: "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \(name)")
}

/// The caller's name by passwd(5), read as text: a static executable can't load NSS modules.
private func callerName() -> (name: String, number: UInt32) {
    let number = getuid()
    for line in (fileText("/etc/passwd") ?? "").split(separator: "\n") {
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        if fields.count > 2, fields[2] == "\(number)" { return (String(fields[0]), number) }
    }
    return ("\(number)", number)
}
