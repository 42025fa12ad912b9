import Testing

@testable import Profile

struct LoadTests {
    @Test func everyKeyOfAFileReachesTheModel() throws {
        let profile = try load(
            """
            description = "HTTP server"

            [namespaces]
            unshare = ["mount", "pid", "uts", "time", "user"]
            join = { net = "/run/netns/blue", ipc = "sandbox:db" }
            time-offset = { monotonic = -5, boottime = 86400 }

            [process]
            command = ["nginx", "-g", "daemon off;"]
            user = "www-data"
            group = 33
            groups = ["adm", 4]
            umask = "0027"
            working-directory = "/srv"
            hostname = "web"
            domainname = "example"
            no-new-privileges = false
            terminal = "pty"
            die-with-parent = true
            init = false
            oom-score-adjust = -100
            nice = 5
            core-limit = 0
            scheduling = { policy = "rr", priority = 3 }
            io-priority = { class = "best-effort", level = 7 }
            cpu-affinity = "0-1,3"
            keep-descriptors = [3, 9]
            session-keyring = false
            environment.clear = true
            environment.keep = ["PATH", "LC_*"]
            environment.unset = ["SSH_AUTH_SOCK"]
            environment.set = { A = "1", "B.C" = "x y" }

            [limits]
            nofile = "1024:4096"
            memlock = "64M"
            stack = { soft = "8M", hard = "unlimited" }
            cpu = 10

            [resources]
            memory = "512M"
            memory-high = 1000
            memory-swap = 0
            cpu = 1
            cpu-weight = 50
            pids = 200
            cpuset = "0"
            io-weight = 100

            [network]
            attach = "host"
            """
        ).profile
        #expect(profile.description == "HTTP server")
        #expect(profile.namespaces.unshare == [.mount, .pid, .uts, .time, .user])
        #expect(profile.namespaces.join == [.net: .path("/run/netns/blue"), .ipc: .sandbox("db")])
        #expect(profile.namespaces.monotonicOffset == -5)
        #expect(profile.namespaces.boottimeOffset == 86400)
        var process = Profile.Process()
        process.command = ["nginx", "-g", "daemon off;"]
        process.user = "www-data"
        process.group = "33"
        process.groups = ["adm", "4"]
        process.umask = 0o27
        process.workingDirectory = "/srv"
        process.hostname = "web"
        process.domainname = "example"
        process.noNewPrivileges = false
        process.terminal = .pty
        process.dieWithParent = true
        process.initProcess = false
        process.oomScoreAdjust = -100
        process.nice = 5
        process.coreLimit = Profile.Limit(soft: 0, hard: 0)
        process.scheduling = Profile.Scheduling(policy: .rr, priority: 3)
        process.ioPriority = Profile.IOPriority(class: .bestEffort, level: 7)
        process.cpuAffinity = "0-1,3"
        process.keepDescriptors = [3, 9]
        process.sessionKeyring = false
        process.environment.clear = true
        process.environment.keep = ["PATH", "LC_*"]
        process.environment.unset = ["SSH_AUTH_SOCK"]
        process.environment.set = ["A": "1", "B.C": "x y"]
        #expect(profile.process == process)
        #expect(
            profile.limits == [
                "nofile": Profile.Limit(soft: 1024, hard: 4096), "memlock": Profile.Limit(soft: 1 << 26, hard: 1 << 26),
                "stack": Profile.Limit(soft: 8 << 20, hard: nil), "cpu": Profile.Limit(soft: 10, hard: 10),
            ])
        var resources = Profile.Resources()
        resources.memory = 512 << 20
        resources.memoryHigh = 1000
        resources.memorySwap = 0
        resources.cpu = 1
        resources.cpuWeight = 50
        resources.pids = 200
        resources.cpuset = "0"
        resources.ioWeight = 100
        #expect(profile.resources == resources)
        #expect(profile.network.attach == .host)
    }

    @Test func filesystemKeysReachTheModel() throws {
        let filesystem = try load(
            """
            [namespaces]
            unshare = ["mount", "pid", "user"]
            [filesystem]
            root = "/srv/alpine"
            overlay = { upper = "tmpfs", size = "64M" }
            read-only = ["/usr", "$HOME/.config"]
            writable = ["~/Downloads", "$XDG_CACHE_HOME/x"]
            hide = ["~/.ssh"]
            private = ["tmp", "dev"]
            tmpfs = [{ path = "/run", size = "16M", mode = "1777", options = ["noexec"] }, { path = "/x" }]
            files = [{ path = "/etc/motd", content = "hello", mode = "0600" }]
            symlinks = [{ path = "/bin", target = "usr/bin" }]
            landlock = true
            proc = "fresh"
            masked-paths = ["/proc/kcore"]
            readonly-paths = []
            [[filesystem.bind]]
            from = "/srv/www"
            to = "/var/www"
            options = ["ro", "nosuid", "nodev", "noexec", "nosymfollow", "rslave"]
            [[filesystem.bind]]
            from = "/opt"
            options = ["rw", "bind", "optional", "nofollow", "idmap"]
            """
        ).profile.filesystem
        var expected = Profile.Filesystem()
        expected.root = "/srv/alpine"
        expected.overlay = Profile.Overlay(upper: .tmpfs, size: 64 << 20)
        expected.readOnly = ["/usr", "$HOME/.config"]
        expected.writable = ["~/Downloads", "$XDG_CACHE_HOME/x"]
        expected.hide = ["~/.ssh"]
        expected.privateAreas = [.tmp, .dev]
        var noexec = Profile.BindOptions()
        noexec.noexec = true
        expected.tmpfs = [
            Profile.Tmpfs(path: "/run", size: 16 << 20, mode: 0o1777, options: noexec), Profile.Tmpfs(path: "/x"),
        ]
        expected.files = [Profile.File(path: "/etc/motd", content: "hello", mode: 0o600)]
        expected.symlinks = [Profile.Symlink(path: "/bin", target: "usr/bin")]
        expected.landlock = true
        expected.proc = .fresh
        expected.maskedPaths = ["/proc/kcore"]
        expected.readonlyPaths = []
        var first = Profile.BindOptions()
        first.readOnly = true
        first.nosuid = true
        first.nodev = true
        first.noexec = true
        first.nosymfollow = true
        first.propagation = .rslave
        var second = Profile.BindOptions()
        second.recursive = false
        second.optional = true
        second.nofollow = true
        second.idmap = true
        var binds = [
            Profile.Bind(from: "/srv/www", to: "/var/www", options: first),
            Profile.Bind(from: "/opt", to: "/opt", options: second),
        ]
        for index in binds.indices { binds[index].source = SourceReference(file: "/user/a.toml") }
        expected.binds = binds
        #expect(filesystem == expected)
    }

    @Test func securityKeysReachTheModel() throws {
        let security = try load(
            """
            [namespaces]
            unshare = ["user"]
            [security]
            securebits = ["noroot", "noroot-locked"]
            user-namespaces = "deny"
            uid-map = ["0 100000 65536", [65536, 1000, 1]]
            gid-map = "auto"
            terminal-injection = "allow"
            landlock = { tcp-bind = [8080], tcp-connect = [], scope = ["abstract-unix", "signal"] }
            [security.capabilities]
            keep = ["CAP_NET_ADMIN", "net_raw", "NET_ADMIN"]
            ambient = ["net_raw"]
            bounding = ["ALL"]
            permitted = ["cap_net_raw"]
            effective = []
            inheritable = ["NET_RAW"]
            [security.seccomp]
            default = "deny"
            allow = ["@system-service"]
            deny = ["ptrace"]
            action = { errno = 38 }
            architectures = ["native", "x86"]
            rules = [
                { calls = ["socket"], action = "EAFNOSUPPORT", when = [{ argument = 0, is = "==", value = 17 }] },
                { calls = ["clone"], action = "kill", when = [{ argument = 0, is = "&==", value = "0x10", mask = 16 }] },
            ]
            """
        ).profile.security
        var expected = Profile.Security()
        expected.securebits = ["noroot", "noroot-locked"]
        expected.userNamespaces = .deny
        expected.uidMap = .explicit([
            Profile.IDRange(inside: 0, outside: 100000, count: 65536),
            Profile.IDRange(inside: 65536, outside: 1000, count: 1),
        ])
        expected.gidMap = .auto
        expected.terminalInjection = .allow
        expected.landlock.tcpBind = [8080]
        expected.landlock.tcpConnect = []
        expected.landlock.scope = [.abstractUnix, .signal]
        expected.capabilities.keep = ["NET_ADMIN", "NET_RAW"]
        expected.capabilities.ambient = ["NET_RAW"]
        expected.capabilities.bounding = ["ALL"]
        expected.capabilities.permitted = ["NET_RAW"]
        expected.capabilities.effective = []
        expected.capabilities.inheritable = ["NET_RAW"]
        var seccomp = Profile.Seccomp()
        seccomp.default = .deny
        seccomp.allow = ["@system-service"]
        seccomp.deny = ["ptrace"]
        seccomp.action = .errno("38")
        seccomp.architectures = ["native", "x86"]
        seccomp.rules = [
            Profile.SeccompRule(
                calls: ["socket"], action: .errno("EAFNOSUPPORT"),
                conditions: [Profile.SeccompCondition(argument: 0, comparison: .equal, value: 17)]),
            Profile.SeccompRule(
                calls: ["clone"], action: .kill,
                conditions: [Profile.SeccompCondition(argument: 0, comparison: .maskedEqual, value: 16, mask: 16)]),
        ]
        expected.seccomp = seccomp
        #expect(security == expected)
    }

    @Test func anEmptyFileIsAProfileOfDefaults() throws {
        #expect(try load("").profile == Profile())
        #expect(try store([:]).load([]).profile == Profile())
    }
}
