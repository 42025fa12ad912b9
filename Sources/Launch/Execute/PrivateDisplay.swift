import CLinux
import Glibc
import Kernel

/// The box's own X server, and its window manager, found and with all that they open, but not yet started.
///
/// They are children of who becomes the command, or of the box's init: nothing of ours stays for them.
struct PrivateDisplay {
    private static let key = "display.server"
    private let server: PreparedCommand
    private let manager: PreparedCommand?
    private let authority: Authority

    /// Finds the programs in the box, by a process that has the box's identity already, and writes the cookie.
    init(_ plan: DisplayPlan, environment: [String]) throws(LaunchError) {
        server = try PrivateDisplay.server(plan, environment)
        manager = try plan.manager.map { manager throws(LaunchError) in
            try PrivateDisplay.find(
                manager.command, environment, key: "display.window-manager", package: manager.package)
        }
        authority = Authority()
        try attributed(to: PrivateDisplay.key) { () throws(SystemError) in try authority.write() }
    }

    private static func server(_ plan: DisplayPlan, _ environment: [String]) throws(LaunchError) -> PreparedCommand {
        let (first, second) = (DisplayPlan.servers[0], DisplayPlan.servers[1])
        do throws(LaunchError) {
            return try PreparedCommand([first] + plan.serverArguments, nil, environment: environment)
        } catch {
            return try find(
                [second] + plan.serverArguments, environment, key: key, package: "tigervnc-standalone-server")
        }
    }

    private static func find(
        _ command: [String], _ environment: [String], key: String, package: String
    ) throws(LaunchError) -> PreparedCommand {
        do throws(LaunchError) {
            return try PreparedCommand(command, nil, environment: environment)
        } catch {
            throw LaunchError(key: key, error.message, mend: "install the package \(package)")
        }
    }

    /// Starts them, and returns once the server answers clients.
    /// - Parameter mask: the signal mask that they begin with.
    /// - Parameter parent: this process, where they are to end with it by themselves.
    func start(mask: SignalMask, filter: SeccompProgram?, dyingWith parent: Int32?) throws(LaunchError) {
        let streams = try attributed(to: PrivateDisplay.key) { () throws(SystemError) in try Streams() }
        defer { streams.close() }
        let ready = try attributed(to: PrivateDisplay.key) { () throws(SystemError) in try makePipe("make a pipe") }
        let writing: Int32
        do throws(SystemError) {
            defer { close(ready.write) }
            writing = try raised(ready.write)
        } catch {
            close(ready.read)
            throw LaunchError(error, key: PrivateDisplay.key)
        }
        defer { close(ready.read) }
        let pid: Int32
        do throws(LaunchError) {
            pid = try server.start(
                mask: mask, filter: filter, dyingWith: parent, streams: streams.all + [writing])
            close(writing)
        } catch {
            close(writing)
            throw LaunchError(key: PrivateDisplay.key, error.message)
        }
        try waitUntilReady(ready.read, pid)
        guard let manager else { return }
        let managing = try manager.start(mask: mask, filter: filter, dyingWith: parent, streams: streams.all)
        try waitForManager(managing)
    }

    /// Seconds that the server may take.
    private static let limit: Int32 = 30

    /// Whether the number of the display comes, a whole line: the server writes it in parts, and would end were nobody
    /// left to read the last. nil when none comes in time.
    private func hears(_ reading: Int32) throws(SystemError) -> Bool? {
        var wait = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        while true {
            if try check("wait for the X server", { poll(&wait, 1, Self.limit * 1000) }) == 0 { return nil }
            if try check("hear from the X server", { Int32(read(reading, &byte, 1)) }) == 0 { return false }
            if byte == UInt8(ascii: "\n") { return true }
        }
    }

    private func waitUntilReady(_ reading: Int32, _ pid: Int32) throws(LaunchError) {
        let isInTime = try attributed(to: PrivateDisplay.key) { () throws(SystemError) in
            try hears(reading)
        }
        if isInTime == true { return }
        kill(pid, SIGKILL)
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
        let problem = isInTime == nil ? "the X server did not begin within \(Self.limit) s" : "the X server ended"
        throw LaunchError(
            key: PrivateDisplay.key, problem + (PrivateDisplay.complaint().map { ": \($0)" } ?? ""),
            mend: "see Xvnc(1)")
    }

    private func waitForManager(_ pid: Int32) throws(LaunchError) {
        let key = "display.window-manager"
        let isReady = try attributed(to: key) { () throws(SystemError) in
            let wait = try WindowManagerWait(authority)
            // 2 ms each; a window that was lost is shown again.
            for round in 0..<500 * Int(Self.limit) {
                if round % 250 == 0 {
                    try wait.show(false)
                    try wait.show(true)
                }
                if try wait.isManaged() { return true }
                if waitpid(pid, nil, WNOHANG) == pid { return false }
                usleep(2000)
            }
            return false
        }
        if isReady { return }
        throw LaunchError(
            key: key, "the window manager did not begin" + (PrivateDisplay.complaint().map { ": \($0)" } ?? ""))
    }

    /// The last word of those who serve the display; nil where there was none.
    private static func complaint() -> String? {
        // Without it there is less to say, and the launch fails all the same.
        guard let text = try? readText(DisplayPlan.log) else { return nil }
        let lines = text.split(separator: "\n").map { line in
            let line = line.hasPrefix("(EE)") ? line.dropFirst(4) : line
            return String(line.drop { $0 == " " })
        }
        return lines.last { !$0.isEmpty }
    }
}

/// Descriptors 0, 1 and 2 of what serves the display.
private struct Streams {
    private let input: Int32
    private let log: Int32

    init() throws(SystemError) {
        let null = try Descriptor(open: "/dev/null", O_RDONLY)
        let file = try Descriptor(open: DisplayPlan.log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
        input = try raised(null.number)
        log = try raised(file.number)
    }

    var all: [Int32] { [input, log, log] }

    func close() {
        Glibc.close(input)
        Glibc.close(log)
    }
}

/// A copy of a descriptor whose number is in nobody's way.
private func raised(_ descriptor: Int32) throws(SystemError) -> Int32 {
    try check("copy a descriptor") { linux_fcntl(descriptor, F_DUPFD_CLOEXEC, 16) }
}
