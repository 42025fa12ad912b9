import CLinux
import Glibc
public import Kernel
public import Launch

/// The private display of a running sandbox, held.
public struct BoxDisplay: ~Copyable {
    /// The socket where viewers connect (`O_PATH`): its path `/proc/self/fd/NUMBER` leads to that socket, whatever the box
    /// puts in its place meanwhile.
    public let socket: Descriptor
    /// Its path from outside, for as long as the sandbox runs.
    public let path: String
    /// The application, whose end is the display's, too.
    public let application: ProcessHandle
    /// What tells the application from a later process of the same id.
    public let identity: ProcessIdentity
}

extension Sandbox {
    /// Finds the sandbox's private display.
    /// - Throws: when it does not run, or has no display of its own.
    public func display() throws(LaunchError) -> BoxDisplay {
        let record = try runningRecord()
        let profile = try registry.profile(of: name)
        guard profile.display.server == .private, let application = record.application else {
            throw LaunchError(
                "\"\(name)\" has no display of its own", mend: "start it with display.server = \"private\"")
        }
        return try translated { () throws(SystemError) in
            guard let handle = try ProcessHandle(application) else {
                throw SystemError("look into \"\(name)\"", code: ESRCH, mend: "it has just ended")
            }
            let place = "/proc/\(application.pid)/root"
            let root = RootDirectory(try Descriptor(open: place, O_PATH | O_DIRECTORY))
            let socket = try root.open(DisplayPlan.socket, O_PATH | O_NOFOLLOW)
            // Else the number may have been another's.
            guard try application.isAlive() else { throw SystemError("look into \"\(name)\"", code: ESRCH) }
            guard try isSocket(socket.number) else {
                throw SystemError("connect to \(DisplayPlan.socket) in \"\(name)\"", code: ENOTSOCK)
            }
            return BoxDisplay(
                socket: socket, path: place + DisplayPlan.socket, application: handle, identity: application)
        }
    }

    private func isSocket(_ descriptor: Int32) throws(SystemError) -> Bool {
        var status = stat()
        try check("look at \(DisplayPlan.socket)") { fstat(descriptor, &status) }
        return status.st_mode & S_IFMT == S_IFSOCK
    }

    /// What the sandbox's private display shows now, as a PNG file's bytes: made here of pixels, so that a file is none of
    /// the box's making.
    /// - Parameter alone: whether all viewers are sent away.
    public func picture(alone: Bool = false) throws(LaunchError) -> [UInt8] {
        let display = try display()
        return try translated { () throws(SystemError) in
            try FramebufferReader(display.socket.number, milliseconds: 5000, alone: alone).read().png()
        }
    }
}
