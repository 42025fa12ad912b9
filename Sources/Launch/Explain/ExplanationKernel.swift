import Profile

extension Explanation {
    /// What it sees and does of other processes.
    var processes: [Statement] {
        guard isIsolated(.pid) else {
            return [
                Statement(
                    .medium, "processes",
                    "It sees all processes of the host, and can signal and trace those of its user.",
                    mend: "namespaces.unshare = [\"pid\", \"mount\"]")
            ]
        }
        if !isIsolated(.mount) || profile.filesystem.proc == .host {
            return [
                Statement(
                    .medium, "processes",
                    "It cannot signal host processes, but /proc still shows them and what they may reveal.",
                    mend: "namespaces.unshare = [\"mount\"] and filesystem.proc = \"auto\"")
            ]
        }
        return [Statement(.confined, "processes", "It sees and signals only its own processes.")]
    }

    /// What it reaches through an interface of its own.
    private func access(through interface: Profile.Interface) -> Statement {
        if let device = interface.device {
            return Statement(
                .medium, "network", "It is on the network of the host's device \(device) with an address of its own.")
        }
        let place = interface.switchName.map { "the switch \"\($0)\"" } ?? "a network"
        if let rules = interface.allow {
            let texts = rules.map { $0.description }.joined(separator: ", ")
            return Statement(
                .confined, "network", "On \(place) only this passes: \(texts.isEmpty ? "nothing" : texts).")
        }
        let chain = interface.chain.isEmpty ? "" : ", through \(interface.chain.joined(separator: ", "))"
        let others = interface.isolated == true ? "those that are not isolated" : "all"
        return Statement(
            .low, "network",
            "It reaches \(others) on \(place), and where that leads\(chain); nothing else of the host's network.",
            mend: "network.allow = [\"tcp to 10.1.0.2:443\"]")
    }

    /// Whom it can pretend to be there.
    private func sources(on interface: Profile.Interface) -> Statement? {
        let isShared = interface.kind?.sharesDevice == true
        guard isShared || interface.kind == .veth else { return nil }
        if interface.spoofing == .allow {
            return Statement(
                .medium, "network", "It may send from others' addresses there.", mend: "network.spoofing = \"deny\"")
        }
        guard isShared else { return nil }
        if profile.security.capabilities.mayHold("NET_ADMIN", in: profile.process) {
            return Statement(
                .medium, "network",
                "It may send from others' addresses there: what would keep it from that lies in the box.",
                mend: "security.capabilities.keep without NET_ADMIN, or a switch of kind bridge")
        }
        return Statement(.confined, "network", "It sends from its own addresses alone.")
    }

    /// What it reaches over the network, abstract sockets included: they belong to the network namespace.
    var network: [Statement] {
        if let place = profile.namespaces.join[.net] {
            return [Statement(.medium, "network", "It uses the network of \(place.text), abstract sockets included.")]
        }
        if isIsolated(.net) {
            let interfaces = profile.network.interfaces
            if !interfaces.isEmpty {
                return interfaces.flatMap { [access(through: $0)] + [sources(on: $0)].compactMap { $0 } }
            }
            return [Statement(.confined, "network", "It has a network of its own, apart from the host's.")]
        }
        let landlock = profile.security.landlock
        var reach = "It uses the host's network: the internet, the local network, services on 127.0.0.1."
        var risk = Statement.Risk.medium
        if let connect = landlock.tcpConnect {
            reach = "It uses the host's network; TCP connections only to ports \(ports(connect)). UDP is open."
            risk = .low
        }
        var statements = [Statement(risk, "network", reach, mend: "namespaces.unshare = [\"net\"]")]
        if landlock.scope.contains(.abstractUnix) {
            statements.append(Statement(.confined, "sockets", "Abstract Unix sockets of the host are out of reach."))
        } else {
            statements.append(
                Statement(
                    .high, "sockets",
                    "It reaches the host's abstract Unix sockets: X11, where keys can be read and typed, and D-Bus.",
                    mend: "namespaces.unshare = [\"net\"], or security.landlock.scope = [\"abstract-unix\"]"))
        }
        return statements
    }

    private func ports(_ list: [UInt16]) -> String {
        list.isEmpty ? "none" : list.map { "\($0)" }.joined(separator: ", ")
    }

    /// Whether it can type into the caller's terminal.
    var terminal: [Statement] {
        let injection = profile.security.terminalInjection
        switch profile.process.terminal {
        case .pty: return [Statement(.confined, "terminal", "It has a terminal of its own.")]
        case .none: return [Statement(.confined, "terminal", "It has no terminal.")]
        case .auto where injection != .allow, .inherit where injection != .allow:
            return [
                Statement(
                    .low, "terminal",
                    "It shares your terminal: it reads what you type there. Typing for you is denied.",
                    mend: "process.terminal = \"pty\"")
            ]
        case .auto, .inherit:
            return [
                Statement(
                    .high, "terminal", "It shares your terminal and can type commands for you (TIOCSTI).",
                    mend: "process.terminal = \"pty\", or security.terminal-injection = \"deny\"")
            ]
        }
    }

    /// How much of the kernel it can reach.
    var kernel: [Statement] {
        var statements = [filter]
        if profile.security.userNamespaces == .deny || profile.checkpoint.enabled {
            statements.append(Statement(.confined, "kernel", "It cannot create user namespaces."))
        } else {
            statements.append(
                Statement(
                    .medium, "kernel",
                    "It may create user namespaces, which opens kernel code that is otherwise root's.",
                    mend: "security.user-namespaces = \"deny\""))
        }
        if profile.filesystem.landlock {
            statements.append(Statement(.confined, "kernel", "Landlock enforces the file rules a second time."))
        }
        return statements
    }

    /// Whether it can be saved, and what that costs it.
    var saving: [Statement] {
        guard profile.checkpoint.enabled else { return [] }
        return [
            Statement(
                .confined, "checkpoint",
                "It can be saved with its memory; what a snapshot cannot hold is refused: io_uring, userfaultfd, secret "
                    + "memory, performance counters, BPF, message queues, vsock, MPTCP and namespaces of its own."),
            Statement(
                .low, "checkpoint", "A snapshot holds all its memory, keys and passwords in it.",
                mend: "checkpoint.enabled = false"),
        ]
    }

    private var filter: Statement {
        switch profile.security.seccomp?.default {
        case .deny?: Statement(.confined, "kernel", "It may use only the system calls that are listed.")
        case .allow?:
            Statement(.low, "kernel", "It may use all system calls but those that are listed as denied.")
        case nil:
            Statement(
                .medium, "kernel", "It may use every system call that the kernel offers.",
                mend: "security.seccomp, as in the profile untrusted")
        }
    }

    /// What it can take away from others.
    var resources: [Statement] {
        let limits = profile.resources
        var open: [String] = []
        if limits.memory == nil { open.append("memory") }
        if limits.cpu == nil { open.append("processor time") }
        if limits.pids == nil { open.append("processes") }
        if open.isEmpty {
            return [Statement(.confined, "resources", "Its memory, processor time and processes are limited.")]
        }
        return [
            Statement(
                .low, "resources", "It may use up the machine's \(open.joined(separator: ", ")).",
                mend: "resources.memory, resources.cpu, resources.pids")
        ]
    }

    /// What it inherits.
    var environment: [Statement] {
        var statements: [Statement] = []
        if !profile.process.environment.clear {
            statements.append(
                Statement(
                    .medium, "environment",
                    "It gets your environment variables, tokens and passwords in them included.",
                    mend: "process.environment.clear = true"))
        } else {
            statements.append(Statement(.confined, "environment", "It gets only the variables that are listed."))
        }
        let kept = profile.process.keepDescriptors
        if !kept.isEmpty {
            let list = kept.map { "\($0)" }.joined(separator: ", ")
            statements.append(
                Statement(
                    .medium, "descriptors", "It inherits the open files \(list).", mend: "process.keep-descriptors"))
        }
        if !profile.process.sessionKeyring {
            statements.append(
                Statement(
                    .medium, "keyring", "It reads the keys of your session keyring.",
                    mend: "process.session-keyring = true"))
        }
        return statements
    }

    /// The namespaces that hold names and counters: little risk, but they are shared.
    var names: [Statement] {
        var statements: [Statement] = []
        if !isIsolated(.ipc) {
            statements.append(
                Statement(
                    .low, "ipc", "It shares System V shared memory and POSIX message queues with the host.",
                    mend: "namespaces.unshare = [\"ipc\"]"))
        }
        if !isIsolated(.uts) {
            let doing = isHostRoot ? "It sees and may set the host's name." : "It sees the host's name."
            statements.append(Statement(.low, "host name", doing, mend: "namespaces.unshare = [\"uts\"]"))
        }
        if !isIsolated(.cgroup) {
            statements.append(
                Statement(
                    .low, "control groups", "It sees where it is in the host's control groups.",
                    mend: "namespaces.unshare = [\"cgroup\"]"))
        }
        if !isIsolated(.time) {
            statements.append(
                Statement(
                    .low, "clocks", "It sees for how long the machine has been up.",
                    mend: "namespaces.unshare = [\"time\"]"))
        }
        return statements
    }
}

extension Profile.JoinTarget {
    fileprivate var text: String {
        switch self {
        case .path(let path): path
        case .sandbox(let name): "the sandbox \(name)"
        }
    }
}
