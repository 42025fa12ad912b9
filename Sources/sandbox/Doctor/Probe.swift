import CLinux
import Glibc
import Kernel
import Netlink

/// Something that can only be known by trying it. Each is tried in a process of its own (`sandbox doctor --probe`), in
/// namespaces that end with the process, so that nothing stays behind.
enum Probe: String, CaseIterable, Sendable {
    case user, mount, pid, net, ipc, uts, cgroup, time
    case userAsUser = "user-as-user"
    case mountCalls = "mount-calls"
    case overlay
    case overlayAsUser = "overlay-as-user"
    case idmap
    case clone3
    case veth, macvlan, bridge, vxlan, tbf, clsact
    case vlanFiltering = "vlan-filtering"
    case nftables

    /// Runs the probe in a child: 0, or the errno value of what failed.
    func attempt() -> Int32 {
        let child = Subprocess.run("/proc/self/exe", ["doctor", "--probe", rawValue])
        return child.exitStatus ?? EIO
    }

    /// In the child: 0, or an errno value, as an exit status.
    func exitStatus() -> Int32 {
        do throws(SystemError) {
            try perform()
            return 0
        } catch {
            return error.code > 0 && error.code < 125 ? error.code : EIO
        }
    }

    private func perform() throws(SystemError) {
        switch self {
        case .user, .mount, .pid, .net, .ipc, .uts, .cgroup, .time: try enter(flag)
        case .userAsUser: try ProbeUser.enter(CLONE_NEWNS | CLONE_NEWNET); try ProbeMounts.tmpfs()
        case .mountCalls: try enter(CLONE_NEWNS); try ProbeMounts.calls()
        case .overlay: try enter(CLONE_NEWNS); try ProbeMounts.overlay(options: "")
        case .overlayAsUser: try ProbeUser.enter(CLONE_NEWNS); try ProbeMounts.overlay(options: ",userxattr")
        case .idmap: try ProbeMounts.idmap()
        case .clone3: try ProbeMounts.reap(try check("clone3") { linux_clone3(0, nil, -1) })
        case .veth, .macvlan, .bridge, .vlanFiltering, .vxlan, .tbf, .clsact:
            try network(KernelFeature(rawValue: rawValue))
        case .nftables:
            try enter(CLONE_NEWNET)
            guard let nft = findProgram("nft") else { throw SystemError("find nft", code: ENOENT) }
            if !Subprocess.run(nft, ["add", "table", "inet", "probe"]).succeeded {
                throw SystemError("add an nftables table", code: EOPNOTSUPP)
            }
        }
    }

    /// As 'sandbox switch features' tries it.
    private func network(_ feature: KernelFeature?) throws(SystemError) {
        guard let feature else { throw SystemError("probe \(rawValue)", code: EINVAL) }
        // The way back leads to a network namespace of the user's own.
        if geteuid() != 0 { try ProbeUser.enter(CLONE_NEWNET) }
        if let failure = try KernelFeature.probe([feature]).first?.failure { throw failure }
    }

    private var flag: Int32 {
        switch self {
        case .user: CLONE_NEWUSER
        case .mount: CLONE_NEWNS
        case .pid: CLONE_NEWPID
        case .ipc: CLONE_NEWIPC
        case .uts: CLONE_NEWUTS
        case .cgroup: CLONE_NEWCGROUP
        case .time: CLONE_NEWTIME
        default: CLONE_NEWNET
        }
    }

    /// Without root, in a user namespace first, as the launcher does.
    private func enter(_ flags: Int32) throws(SystemError) {
        if geteuid() != 0 { return try ProbeUser.enter(flags) }
        try check("unshare") { unshare(flags) }
    }
}

/// A user namespace made by an ordinary user.
enum ProbeUser {
    /// Becomes nobody when root, then root of a new user namespace, and enters the namespaces in `flags`.
    static func enter(_ flags: Int32) throws(SystemError) {
        if geteuid() == 0 {
            try check("setgroups") { linux_setgroups(0, nil) }
            try check("setresgid") { setresgid(65534, 65534, 65534) }
            try check("setresuid") { setresuid(65534, 65534, 65534) }
            // Giving up root made /proc/self root's.
            try check("prctl") { linux_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) }
        }
        let (user, group) = (geteuid(), getegid())
        try check("unshare") { unshare(CLONE_NEWUSER) }
        try writeText("deny", to: "/proc/self/setgroups")
        try writeText("0 \(user) 1\n", to: "/proc/self/uid_map")
        try writeText("0 \(group) 1\n", to: "/proc/self/gid_map")
        let others = flags & ~CLONE_NEWUSER
        if others != 0 { try check("unshare") { unshare(others) } }
    }
}
