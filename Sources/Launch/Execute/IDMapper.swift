import CLinux
import Glibc
import Kernel
import Profile

/// Writes the id maps of the caller's new user namespace and maps file owners of mounts through it.
///
/// Where that needs privilege over the outside, a child started before the namespace does it: it shares the
/// descriptors, so that a mount is named by its number.
struct IDMapper: ~Copyable {
    private let plan: NamespacePlan
    private var helper: Int32?
    /// A pidfd(2) of the helper, or -1.
    private let life: Descriptor
    private let request: Descriptor
    private let requestEnd: Descriptor
    private let answers: Descriptor
    private let answerEnd: Descriptor

    /// Starts the helper when the plan needs one. Call it before the user namespace is unshared.
    init(_ plan: NamespacePlan, mapsMounts: Bool) throws(SystemError) {
        let asks = try makePipe("prepare the id maps")
        let answers = try makePipe("prepare the id maps")
        let needed = plan.mapWriter != .own || mapsMounts
        let launcher = getpid()
        let (asked, answering) = (asks.read, answers.write)
        let helper =
            needed
            ? try startChild(in: [], sharingDescriptors: true) {
                IDMapper.serve(plan, launcher, asked, answering)
            } : nil
        let life = try helper.map { pid throws(SystemError) in
            try check("hold the id map helper") { linux_pidfd_open(pid, 0) }
        }
        self.plan = plan
        self.helper = helper
        self.life = Descriptor(life ?? -1)
        request = Descriptor(asks.write)
        requestEnd = Descriptor(asks.read)
        self.answers = Descriptor(answers.read)
        answerEnd = Descriptor(answers.write)
    }

    /// Writes the maps; the caller has just unshared its user namespace.
    func writeMaps() throws(SystemError) {
        if plan.mapWriter == .own {
            try writeText("deny", to: "/proc/self/setgroups")
            try writeText(IDMapper.text(plan.uidMap), to: "/proc/self/uid_map")
            try writeText(IDMapper.text(plan.gidMap), to: "/proc/self/gid_map")
        } else {
            try send(.maps, "")
            _ = try answer("write the id maps", "check security.uid-map against /etc/subuid and /etc/subgid")
        }
    }

    /// A detached copy of what the caller's mount namespace has at `path`, its owners mapped through the new user
    /// namespace.
    func openMapped(_ path: String, _ options: Profile.BindOptions) throws(SystemError) -> Int32 {
        try send(options.recursive ? .mountTree : .mount, path, nofollow: options.nofollow)
        let mend = "the filesystem or the kernel cannot, or root is needed"
        do throws(SystemError) {
            return try answer("bind \(path) with idmap", mend)
        } catch {
            switch error.code {
            case ENOENT: throw SystemError(error.action, code: ENOENT)
            case ELOOP where options.nofollow:
                throw SystemError(error.action, code: ELOOP, mend: "it is a symbolic link, and nofollow is set")
            default: throw error
            }
        }
    }

    /// Ends the helper.
    mutating func finish() throws(SystemError) {
        guard let pid = helper else { return }
        helper = nil
        try send(.quit, "")
        _ = try waitForEnd(of: pid)
    }

    /// An id that the map leaves out cannot own files: take the first of the map. For the box only: a waiter outside
    /// has the caller's control groups and state to look after.
    static func becomeMapped(_ plan: NamespacePlan) throws(SystemError) {
        let (uid, gid) = (getuid(), getgid())
        let overflow: UInt32 = 65534
        if gid == overflow, let first = plan.gidMap.first {
            try check("take group \(first.inside) in the user namespace") {
                setresgid(first.inside, first.inside, first.inside)
            }
            if plan.mapWriter == .privileged {
                try check("drop the outer groups") { linux_setgroups(0, nil) }
            }
        }
        if uid == overflow, let first = plan.uidMap.first {
            try check("take user \(first.inside) in the user namespace") {
                setresuid(first.inside, first.inside, first.inside)
            }
        }
    }

    private static func text(_ ranges: [Profile.IDRange]) -> String {
        ranges.map { "\($0.inside) \($0.outside) \($0.count)\n" }.joined()
    }

    // MARK: - Conversation

    private enum Request: UInt8 { case quit, maps, mount, mountTree }

    private func send(_ kind: Request, _ path: String, nofollow: Bool = false) throws(SystemError) {
        let message = [kind.rawValue, nofollow ? 1 : 0] + Array(path.utf8)
        try check("reach the id map helper") { Int32(write(request.number, message, message.count)) }
    }

    /// The helper's answer: a descriptor or 0, or what failed.
    private func answer(_ action: String, _ mend: String) throws(SystemError) -> Int32 {
        // This process holds the answers' writing end as well: without the helper they never end.
        var waits = [
            pollfd(fd: answers.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: life.number, events: Int16(POLLIN), revents: 0),
        ]
        try check(action) { poll(&waits, 2, -1) }
        if waits[0].revents == 0 { throw SystemError(action, code: ESRCH, mend: "the process that does it was killed") }
        var value: Int32 = 0
        let count = try check(action) { Int32(read(answers.number, &value, 4)) }
        if count != 4 { throw SystemError(action, code: EPIPE) }
        if value < 0 { throw SystemError(action, code: -value, mend: mend) }
        return value
    }

    // MARK: - Helper process

    private static func serve(
        _ plan: NamespacePlan, _ launcher: Int32, _ asked: Int32, _ answering: Int32
    ) -> Never {
        CrashPoint.enter("mapper")
        _ = linux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0)
        if getppid() != launcher { _exit(1) }
        CrashPoint.pass("start")
        var message = [UInt8](repeating: 0, count: 4098)
        while true {
            let count = read(asked, &message, message.count)
            guard count > 1, let kind = Request(rawValue: message[0]) else { _exit(1) }
            CrashPoint.pass("request")
            let path = String(decoding: message[2..<count], as: UTF8.self)
            var value: Int32 = 0
            do throws(SystemError) {
                switch kind {
                case .quit: _exit(0)
                case .maps: try writeMaps(plan, launcher)
                case .mount, .mountTree:
                    value = try map(path, recursive: kind == .mountTree, nofollow: message[1] == 1, launcher)
                }
            } catch {
                value = -error.code
            }
            CrashPoint.pass("work")
            _ = write(answering, &value, 4)
        }
    }

    private static func writeMaps(_ plan: NamespacePlan, _ launcher: Int32) throws(SystemError) {
        guard plan.mapWriter == .setuidHelpers else {
            try writeText(text(plan.uidMap), to: "/proc/\(launcher)/uid_map")
            return try writeText(text(plan.gidMap), to: "/proc/\(launcher)/gid_map")
        }
        try run("/usr/bin/newuidmap", launcher, plan.uidMap)
        try run("/usr/bin/newgidmap", launcher, plan.gidMap)
    }

    private static func run(_ program: String, _ launcher: Int32, _ ranges: [Profile.IDRange]) throws(SystemError) {
        var arguments = [program, String(launcher)]
        for range in ranges { arguments += [String(range.inside), String(range.outside), String(range.count)] }
        let child = try startChild(in: []) {
            // Its words for what is wrong would make two lines of one error.
            let null = linux_open("/dev/null", O_RDWR | O_CLOEXEC, 0)
            for number: Int32 in 0...2 { dup2(null, number) }
            withCStrings(arguments) { _ = execv(program, $0) }
            _exit(127)
        }
        switch try waitForEnd(of: child) {
        case .exited(0): return
        case .exited(127): throw SystemError(program, code: ENOENT)
        default: throw SystemError(program, code: EPERM)
        }
    }

    private static func map(
        _ path: String, recursive: Bool, nofollow: Bool, _ launcher: Int32
    ) throws(SystemError) -> Int32 {
        let namespace = try Descriptor(open: "/proc/\(launcher)/ns/user", O_RDONLY)
        let source = try Descriptor(open: path, O_PATH | (nofollow ? O_NOFOLLOW : 0))
        if nofollow, try FileStatus(source.number, name: path).kind == .symlink {
            throw SystemError("bind \(path)", code: ELOOP)
        }
        let tree = try MountTree(cloning: source.number, recursive: recursive, action: "bind \(path)")
        // It was cloned among the host's mounts: what the box mounts there must not come out again.
        try setMountPropagation(tree.descriptor.number, .private, recursive: true, action: "bind \(path)")
        try tree.setIDMapping(namespace.number, recursive: recursive, action: "map file owners of \(path)")
        return tree.take()
    }
}
