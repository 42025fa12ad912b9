import Profile
import Testing

@testable import Launch

@Suite("Mount steps")
struct FilesystemTests {
    @Test("entries apply in the profile language's order, however they were written") func order() throws {
        let plan = try filesystem(rootHost(), [.pid]) {
            $0.hide = ["/h"]
            $0.writable = ["/w"]
            $0.symlinks = [.init(path: "/l", target: "t")]
            $0.files = [.init(path: "/f", content: "")]
            $0.binds = [.init(from: "/a", to: "/b")]
            $0.tmpfs = [.init(path: "/t", mode: 0o700)]
            $0.privateAreas = [.run, .tmp]
            $0.readOnly = ["/usr"]
            $0.maskedPaths = ["/proc/kcore"]
            $0.readonlyPaths = ["/proc/sys"]
        }
        #expect(
            plan.outline == [
                "read-only /usr", "proc /proc", "read-only /proc/sys", "tmpfs /tmp 1777", "tmpfs /var/tmp 1777",
                "tmpfs /run 755", "tmpfs /t 700", "bind /a /b", "file /f", "symlink /l t", "writable /w", "hide /h",
                "hide /proc/kcore",
            ])
        #expect(plan.root == .host)
        #expect(!plan.changesRoot)
    }

    @Test("steps name the key that they come from") func keys() throws {
        let plan = try filesystem {
            $0.readOnly = ["/a", "/b"]
            $0.binds = [.init(from: "/a", to: "/b")]
            $0.hide = ["/c"]
        }
        #expect(
            plan.steps.map(\.key) == [
                "filesystem.read-only[0]", "filesystem.read-only[1]", "filesystem.bind[0]", "filesystem.hide[0]",
            ])
    }

    @Test("nothing is mounted that was not asked for") func empty() throws {
        #expect(try filesystem { _ in }.steps.isEmpty)
    }

    @Test("a hidden path is hidden wherever a bind shows it") func hideFollows() throws {
        let plan = try filesystem {
            $0.hide = ["/home/a/.ssh", "/etc/shadow"]
            $0.binds = [
                .init(from: "/home", to: "/srv"), .init(from: "/home/a/.ssh", to: "/k"),
                .init(from: "/home/a/.ss", to: "/x"), .init(from: "/", to: "/host"), .init(from: "/etc", to: "/etc"),
            ]
        }
        #expect(
            plan.outline.filter { $0.hasPrefix("hide") } == [
                "hide /home/a/.ssh", "hide /etc/shadow", "hide /srv/a/.ssh", "hide /k", "hide /host/home/a/.ssh",
                "hide /host/etc/shadow",
            ])
    }

    @Test("globs name every match, and no match is no error") func globs() throws {
        let facts = host(glob: ["/home/alice/.*": ["/home/alice/.a", "/home/alice/.b"]])
        let plan = try filesystem(facts) {
            $0.hide = ["~/.*", "/none/*"]
            $0.readOnly = ["/none/?"]
        }
        #expect(plan.outline == ["hide /home/alice/.a", "hide /home/alice/.b"])
    }

    @Test("an entry below an area that is made empty shows the caller's files there") func shownThrough() throws {
        let plan = try filesystem(host()) {
            $0.privateAreas = [.home]
            $0.readOnly = ["~/.config", "/usr"]
            $0.writable = ["~/work", "/srv"]
        }
        #expect(
            plan.outline == [
                "read-only /usr", "tmpfs /home 755", "tmpfs /root 700", "directory /home/alice 700",
                "bind ro /home/alice/.config /home/alice/.config", "bind /home/alice/work /home/alice/work",
                "writable /srv",
            ])
    }

    @Test(
        "what a mount on the root would not cover is refused",
        arguments: ["tmpfs", "bind", "hide", "files", "symlinks"])
    func root(key: String) {
        let error = refusal {
            $0.namespaces.unshare = [.mount]
            switch key {
            case "tmpfs": $0.filesystem.tmpfs = [.init(path: "/./")]
            case "bind": $0.filesystem.binds = [.init(from: "/srv", to: "//")]
            case "hide": $0.filesystem.hide = ["/"]
            case "files": $0.filesystem.files = [.init(path: "/", content: "")]
            default: $0.filesystem.symlinks = [.init(path: "/", target: "/srv")]
            }
        }
        #expect(error?.key?.hasPrefix("filesystem.") == true)
        #expect(error?.message.contains("root of the box") == true)
    }

    // MARK: - Private areas

    @Test("private areas") func areas() throws {
        func outline(_ area: Profile.PrivateArea, home: String = "/root", _ kinds: NamespaceSet = []) throws
            -> [String]
        {
            try filesystem(host(uid: 0, privileged: true, home: home), kinds) { $0.privateAreas = [area] }.outline
        }
        #expect(try outline(.tmp) == ["tmpfs /tmp 1777", "tmpfs /var/tmp 1777"])
        #expect(try outline(.run) == ["tmpfs /run 755"])
        #expect(try outline(.dev) == ["devices /dev"])
        #expect(try outline(.dev, [.ipc]) == ["devices /dev mqueue"])
        let homes = ["tmpfs /home 755", "tmpfs /root 700"]
        #expect(try outline(.home) == homes)
        #expect(try outline(.home, home: "/") == homes)
        #expect(try outline(.home, home: "/home/a/b") == homes + ["directory /home/a/b 700"])
        #expect(try outline(.home, home: "/homes/a") == homes + ["tmpfs /homes/a 700"])
    }

    @Test("private areas neither give privileges nor devices") func areaOptions() throws {
        let plan = try filesystem { $0.privateAreas = [.tmp, .home, .run] }
        for case .tmpfs(_, _, _, let options) in plan.steps.map(\.operation) {
            #expect(options.nosuid && options.nodev && options.optional)
        }
    }

    @Test("a tmpfs keeps its size, mode and options") func tmpfs() throws {
        var entry = Profile.Tmpfs(path: "~/t", size: 4096, mode: 0o1700)
        entry.options.noexec = true
        let plan = try filesystem(host()) { $0.tmpfs = [entry] }
        #expect(
            plan.steps == [
                MountStep(
                    "filesystem.tmpfs[0]",
                    .tmpfs(path: "/home/alice/t", size: 4096, mode: 0o1700, entry.options))
            ])
    }

    // MARK: - /proc

    @Test("a fresh /proc comes with a pid namespace, with the usual paths masked") func freshProc() throws {
        let plan = try filesystem(rootHost(), [.pid]) { _ in }
        #expect(plan.outline.first == "proc /proc")
        #expect(
            plan.outline.dropFirst()
                == ArraySlice(
                    FilesystemPlanner.usualReadonlyPaths.map { "read-only \($0)" }
                        + FilesystemPlanner.usualMaskedPaths.map { "hide \($0)" }))
        for case .readOnly(_, let optional) in plan.steps.map(\.operation) { #expect(optional) }
        #expect(FilesystemPlanner.usualMaskedPaths.contains("/proc/kcore"))
        #expect(FilesystemPlanner.usualReadonlyPaths.contains("/proc/sys"))
    }

    @Test("proc as asked for") func proc() throws {
        #expect(try filesystem(rootHost(), [.pid]) { $0.proc = .host }.steps.isEmpty)
        #expect(try filesystem { $0.proc = .auto }.steps.isEmpty)
        #expect(try filesystem { $0.proc = .fresh }.outline.first == "proc /proc")
        #expect(try filesystem { $0.proc = .none }.outline == ["hide /proc"])
        #expect(try filesystem(rootHost(), [.pid]) { $0.proc = .none }.outline == ["hide /proc"])
    }

    @Test("masked and read-only paths that a profile names are covered in the host's /proc too") func ownMasks() throws
    {
        let masks = try filesystem {
            $0.maskedPaths = ["/proc/kcore", "~/x"]
            $0.readonlyPaths = ["/proc/sys"]
        }
        #expect(masks.outline == ["read-only /proc/sys", "hide /proc/kcore", "hide /root/x"])
        let bare = try filesystem(rootHost(), [.pid]) {
            $0.maskedPaths = []
            $0.readonlyPaths = []
        }
        #expect(bare.outline == ["proc /proc"])
    }

    // MARK: - Another root

    @Test("another root tree gets devices, /proc and /sys first") func foreignRoot() throws {
        let plan = try filesystem {
            $0.root = "~/debian"
            $0.readOnly = ["/usr"]
        }
        #expect(plan.root == .tree("/root/debian"))
        #expect(plan.tree == "/root/debian")
        #expect(plan.changesRoot)
        #expect(plan.outline == ["devices /dev", "bind /proc /proc", "bind ro /sys /sys", "read-only /usr"])
        let fresh = try filesystem(rootHost(), [.pid]) {
            $0.root = "/srv/alpine"
            $0.privateAreas = [.dev]
            $0.maskedPaths = []
            $0.readonlyPaths = []
        }
        #expect(fresh.outline == ["bind ro /sys /sys", "proc /proc", "devices /dev"])
        let none = try filesystem {
            $0.root = "/srv/alpine"
            $0.proc = .none
        }
        #expect(none.outline == ["devices /dev", "bind ro /sys /sys", "hide /proc"])
        #expect(try !filesystem { $0.root = "/" }.changesRoot)
    }

    @Test("globs are looked up in the other root") func foreignGlobs() throws {
        let facts = host(uid: 0, privileged: true, glob: ["/srv/deb/etc/*": ["/srv/deb/etc/a"]])
        let plan = try filesystem(facts) {
            $0.root = "/srv/deb"
            $0.hide = ["/etc/*"]
        }
        #expect(plan.outline.last == "hide /etc/a")
    }

    // MARK: - Without a mount namespace

    @Test(
        "entries that need mounts are refused without a mount namespace",
        arguments: [
            "root", "overlay", "read-only", "writable", "hide", "private", "bind", "tmpfs", "files", "symlinks", "proc",
            "masked-paths", "readonly-paths",
        ])
    func refused(key: String) {
        let error = refusal {
            switch key {
            case "root": $0.filesystem.root = "/srv"
            case "overlay": $0.filesystem.overlay = .init(upper: .tmpfs)
            case "read-only": $0.filesystem.readOnly = ["/usr"]
            case "writable": $0.filesystem.writable = ["/usr"]
            case "hide": $0.filesystem.hide = ["/usr"]
            case "private": $0.filesystem.privateAreas = [.tmp]
            case "bind": $0.filesystem.binds = [.init(from: "/a", to: "/b")]
            case "tmpfs": $0.filesystem.tmpfs = [.init(path: "/t")]
            case "files": $0.filesystem.files = [.init(path: "/t", content: "")]
            case "symlinks": $0.filesystem.symlinks = [.init(path: "/t", target: "")]
            case "proc": $0.filesystem.proc = .fresh
            case "masked-paths": $0.filesystem.maskedPaths = ["/proc/kcore"]
            default: $0.filesystem.readonlyPaths = ["/proc/sys"]
            }
        }
        #expect(error?.key == "filesystem")
        #expect(error?.message.contains("mount namespace") == true)
    }

    @Test("nothing is asked for, nothing is refused") func nothing() {
        #expect(refusal { $0.filesystem.maskedPaths = [] } == nil)
        #expect(refusal { $0.filesystem.root = "/" } == nil)
    }
}
