import CLinux
import Glibc
import Kernel
import Launch
import SandboxKit

/// A program that shows a display.
protocol DisplayViewer {
    /// Its words, the path of the program first.
    var command: [String] { get }
    /// Descriptors that it gets, by the numbers that it knows them by.
    var descriptors: [(number: Int32, source: Int32)] { get }
    /// Called once it runs.
    func started() throws
}

extension DisplayViewer {
    /// The descriptor that it finds the display's socket at, and the path that leads there.
    static var socket: Int32 { 9 }
    static var socketPath: String { "/proc/self/fd/\(socket)" }

    /// Starts it; it ends with this process.
    /// - Returns: its process id.
    func start(_ socket: Int32) throws(SystemError) -> Int32 {
        // Out of one another's way first.
        var raised: [(number: Int32, copy: Int32)] = []
        defer { for (_, copy) in raised { close(copy) } }
        for (number, source) in descriptors + [(Self.socket, socket)] {
            raised.append((number, try check("copy a descriptor") { linux_fcntl(source, F_DUPFD_CLOEXEC, 16) }))
        }
        return try startChild(in: []) {
            _ = linux_prctl(PR_SET_PDEATHSIG, UInt(SIGTERM), 0, 0, 0)
            for (number, copy) in raised { dup2(copy, number) }
            withCStrings(command) { words in _ = execve(command[0], words, Glibc.environ) }
            Output.note("start \(command[0]): \(String(cString: strerror(errno)))")
            _exit(127)
        }
    }
}

/// TigerVNC's viewer: it takes the path of a socket.
struct WindowViewer: DisplayViewer {
    let command: [String]
    let descriptors: [(number: Int32, source: Int32)] = []

    /// - Parameter path: of the display's socket, where there is one yet.
    init(path: String?) throws(LaunchError) {
        let other = path.map { "let a viewer elsewhere connect to \($0)" } ?? "view it later"
        let programs = ["xtigervncviewer", "vncviewer"]
        guard let program = programs.lazy.compactMap({ findProgram($0) }).first else {
            throw LaunchError(
                "no VNC viewer is installed",
                mend: "install the package tigervnc-viewer, use 'sandbox view --web', or \(other)")
        }
        guard environmentVariable("DISPLAY") != nil || environmentVariable("WAYLAND_DISPLAY") != nil else {
            throw LaunchError(
                "there is no display here for a viewer",
                mend: "use 'sandbox view --web' or --picture, or \(other)")
        }
        // Beside others who look on.
        command = [program, "-Shared", Self.socketPath]
    }

    func started() {}
}

/// noVNC in a browser, served by websockify.
///
/// The page is anybody's on this machine; the way to the display is only for who knows the secret. It is on no command
/// line and in no file.
struct WebViewer: DisplayViewer {
    let command: [String]
    let descriptors: [(number: Int32, source: Int32)]
    private let address: String

    private static let pages = "/usr/share/novnc"
    private static let page = "vnc.html"
    private static let secrets: Int32 = 8

    /// - Parameter port: of 127.0.0.1; 0 for a free one.
    init(port: UInt16) throws(LaunchError) {
        guard let program = findProgram("websockify") else {
            throw LaunchError("websockify is not installed", mend: "install the packages websockify and novnc")
        }
        guard access("\(Self.pages)/\(Self.page)", R_OK) == 0 else {
            throw LaunchError("noVNC is not installed: no \(Self.pages)", mend: "install the package novnc")
        }
        command = [
            program, "--inetd", "--web", Self.pages, "--token-plugin", "TokenFile", "--token-source",
            "/proc/self/fd/\(Self.secrets)",
        ]
        let secret = (0..<16).map { _ in String(UInt8.random(in: 16 ... .max), radix: 16) }.joined()
        do throws(SystemError) {
            let listener = try WebViewer.listen(port)
            let file = try check("make a file in memory") { memfd_create("secret", UInt32(MFD_CLOEXEC)) }
            try writeText("\(secret): unix_socket:\(Self.socketPath)\n", to: file, name: "the secret")
            let null = try Descriptor(open: "/dev/null", O_WRONLY).take()
            // They are this process's until it ends.
            descriptors = [(0, listener.socket), (1, null), (2, null), (Self.secrets, file)]
            address =
                "http://127.0.0.1:\(listener.port)/\(Self.page)?autoconnect=true&reconnect=true&resize=scale"
                + "&path=websockify%3Ftoken%3D\(secret)"
        } catch {
            throw LaunchError(error)
        }
    }

    func started() throws { try Output.line(address) }

    private static func listen(_ port: UInt16) throws(SystemError) -> (socket: Int32, port: UInt16) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = try check("make a socket") { Glibc.socket(AF_INET, type, 0) }
        var chosen = port
        try check("listen on 127.0.0.1, port \(port)") { linux_listen_loopback(socket, &chosen) }
        return (socket, chosen)
    }
}
