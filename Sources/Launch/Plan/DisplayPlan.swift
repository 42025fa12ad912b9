public import Profile

/// An X server of the box's own (`display.server = "private"`): a child of the command's, or of the box's init, that
/// listens on sockets of the box's file tree and nowhere else.
public struct DisplayPlan: Sendable, Equatable {
    public var size: Profile.ScreenSize
    public var windowManager: Profile.WindowManager
    public var clipboard: Profile.Clipboard

    /// Whether it does without memory shared with clients, removed ids of which CRIU cannot save.
    public var isSavable: Bool

    init?(_ display: Profile.Display, isSavable: Bool) {
        guard display.server == .private else { return nil }
        self.isSavable = isSavable
        (size, windowManager, clipboard) = (display.size, display.windowManager, display.clipboard)
    }

    /// Where the X protocol has its sockets; the others of the display's files are there too.
    public static let folder = "/tmp/.X11-unix"
    /// The cookie that clients show (Xsecurity(7)).
    static let authority = folder + "/authority"
    /// Where viewers connect (RFC 6143).
    public static let socket = folder + "/vnc"
    /// What server and window manager have to say.
    static let log = folder + "/log"
    /// The number is free: nobody else is in the directory.
    private static let number = ":0"
    /// The descriptor that the server writes to once it serves clients.
    static let readiness: Int32 = 3

    /// The names that TigerVNC's server goes by: Debian's own, and its authors'.
    static let servers = ["Xtigervnc", "Xvnc"]

    /// What follows the server's name: no TCP, no abstract socket, viewers by the socket's owner alone.
    public var serverArguments: [String] {
        [
            Self.number, "-displayfd", "\(Self.readiness)", "-auth", Self.authority, "-noreset",
            "-nolisten", "tcp", "-nolisten", "local", "-geometry", size.text, "-depth", "24",
            "-rfbport", "-1", "-rfbunixpath", Self.socket, "-rfbunixmode", "0600", "-SecurityTypes", "None",
            "-AcceptCutText=\(allows(.toBox))", "-SetPrimary=\(allows(.toBox))",
            "-SendCutText=\(allows(.fromBox))", "-SendPrimary=\(allows(.fromBox))",
        ] + (isSavable ? ["-extension", "MIT-SHM"] : [])
    }

    private func allows(_ direction: Profile.Clipboard) -> Int {
        clipboard == direction || clipboard == .both ? 1 : 0
    }

    /// The window manager's command and the package that has it.
    var manager: (command: [String], package: String)? {
        switch windowManager {
        case .none: nil
        case .openbox: (["openbox", "--sm-disable"], "openbox")
        case .matchbox: (["matchbox-window-manager", "-use_titlebar", "no"], "matchbox-window-manager")
        }
    }

    /// An environment with the variables of that display.
    static func environment(_ entries: [String]) -> [String] {
        entries + ["DISPLAY=\(number)", "XAUTHORITY=\(authority)"]
    }
}
