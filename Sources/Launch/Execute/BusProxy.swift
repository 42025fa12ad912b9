import CLinux
import Glibc
import Kernel
import Profile

/// The process between a box and the host's message buses: a child of who waits for the box, begun in the caller's
/// world, that becomes xdg-dbus-proxy in a box of its own once the other one has a directory for its sockets.
///
/// It ends with the waiter, whatever ends that: the kernel kills it, and the pipe that it watches comes to its end.
struct BusProxy {
    /// Seconds that it may take.
    private static let limit: Int32 = 30

    private let plan: BusPlan
    private let channel: ReportChannel
    /// The reading end of the pipe that keeps it alive.
    let line: Int32
    let pid: Int32

    /// Starts the process, which waits for the box.
    init(_ plan: BusPlan) throws(LaunchError) {
        let key = plan.key
        let channel = try attributed(to: key) { () throws(SystemError) in try ReportChannel() }
        let pipe = try attributed(to: key) { () throws(SystemError) in try makePipe("make a pipe") }
        let starter = getpid()
        pid = try attributed(to: key) { () throws(SystemError) in
            try startChild(in: []) { BusProxy.become(plan, channel, pipe.write, starter) }
        }
        channel.keepWaiterSide()
        close(channel.begin.read)
        close(pipe.write)
        (self.plan, self.channel, line) = (plan, channel, pipe.read)
    }

    // MARK: - The waiter's part

    /// Leaves the rest of the launch to the box: its end is then the process's to hear of.
    func leaveToBox() { close(channel.waiter) }

    /// Ends it.
    func end() {
        close(line)
        kill(pid, SIGKILL)
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }

    // MARK: - The box's part

    /// Gives it the directory of the box's, by a process that has the box's identity, and returns once it serves.
    func serve() throws(LaunchError) {
        defer {
            close(channel.waiter)
            close(line)
        }
        let key = plan.key
        let report = try attributed(to: key) { () throws(SystemError) in
            let folder = try Descriptor(open: BusPlan.folder, O_PATH | O_DIRECTORY)
            // Who the box is to itself, and so what its programs tell the bus.
            var user = geteuid()
            try check("start \(BusPlan.program)") {
                Int32(linux_send_message(channel.waiter, &user, MemoryLayout<uid_t>.size, folder.number))
            }
            // Nothing comes where it has become the proxy.
            return try hears(channel.waiter) ? try channel.receive() : nil
        }
        if case .failed(let error)? = report { throw error }
        let isServing = try attributed(to: key) { () throws(SystemError) in
            var byte: UInt8 = 0
            guard try hears(line) else { return false }
            return try check("hear from \(BusPlan.program)") { Int32(read(line, &byte, 1)) } == 1
        }
        if isServing { return }
        throw LaunchError(key: key, "\(BusPlan.program) did not begin", mend: "see what it says above")
    }

    private func hears(_ descriptor: Int32) throws(SystemError) -> Bool {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return try check("wait for \(BusPlan.program)") { poll(&wait, 1, Self.limit * 1000) } > 0
    }

    // MARK: - The process itself

    private static func become(
        _ plan: BusPlan, _ channel: ReportChannel, _ line: Int32, _ starter: Int32
    ) -> Never {
        CrashPoint.enter("bus")
        // Who waits for an end of the launcher's, or of the box's, waits for those alone.
        let kept = [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, channel.box, line]
        closeDescriptors(keeping: kept + CrashPoint.descriptors)
        _ = linux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0)
        if getppid() != starter { _exit(1) }
        var user: uid_t = 0
        let size = MemoryLayout<uid_t>.size
        var folder: Int32 = -1
        var count = 0
        repeat { count = linux_receive_message(channel.box, &user, size, &folder) } while count < 0 && errno == EINTR
        // A box that came to nothing.
        guard count == size, folder >= 0 else { _exit(1) }
        do throws(LaunchError) {
            try run(plan, channel, line, folder, user)
        } catch {
            channel.send(.failed(explained(error, plan)))
        }
        _exit(125)
    }

    private static func run(
        _ plan: BusPlan, _ channel: ReportChannel, _ line: Int32, _ folder: Int32, _ user: uid_t
    ) throws(LaunchError) {
        guard var proxy = plan.proxies.first else { return }
        try attributed(to: plan.key) { () throws(SystemError) in
            let null = try Descriptor(open: "/dev/null", O_RDWR)
            for number in [STDIN_FILENO, STDOUT_FILENO] { try check("copy a descriptor") { dup2(null.number, number) } }
            for number in [line, folder] { try check("keep a descriptor") { linux_fcntl(number, F_SETFD, 0) } }
        }
        try identify(&proxy, by: folder, as: user, plan.key)
        proxy.command = plan.command(line: line, folder: folder)
        proxy.process.keepDescriptors = [line, folder]
        var context = LaunchContext()
        context.held = [channel.box]
        _ = try Launcher.run(proxy, context)
    }

    /// The bus knows who calls by the proxy's user, which is to be the box's: who owns its directory.
    private static func identify(
        _ proxy: inout LaunchPlan, by folder: Int32, as user: uid_t, _ key: String
    ) throws(LaunchError) {
        var status = stat()
        try attributed(to: key) { () throws(SystemError) in
            try check("look at \(BusPlan.folder)") { fstat(folder, &status) }
        }
        // A program that says another number than the bus sees is turned away.
        guard status.st_uid == user else {
            throw LaunchError(
                key: key, "the box's user is \(user) inside and \(status.st_uid) outside, which no bus takes for one",
                mend: "map it to the same number (security.uid-map = \"self\")")
        }
        if status.st_uid == geteuid() { return }
        proxy.process.user = "\(status.st_uid)"
        proxy.process.group = "\(status.st_gid)"
        proxy.process.groups = []
    }

    /// The proxy's own profile has no place in the user's files.
    private static func explained(_ error: LaunchError, _ plan: BusPlan) -> LaunchError {
        if error.status == 127 {
            return LaunchError(
                key: plan.key, "\(BusPlan.program) is not installed", mend: "install the package \(BusPlan.program)")
        }
        return LaunchError(key: plan.key, "\(BusPlan.program) cannot be started: \(error.message)")
    }
}

extension BusPlan {
    /// The key that errors are told of.
    fileprivate var key: String { links.first?.key ?? "dbus.session" }
}
