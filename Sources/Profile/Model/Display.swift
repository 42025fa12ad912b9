extension Profile {
    /// Where the application's windows appear, and what goes in and out there.
    public struct Display: Sendable, Equatable {
        public var server = Server.none
        /// Of a private server's screen.
        public var size = ScreenSize(width: 1280, height: 800)
        /// Places the windows of a private server.
        public var windowManager = WindowManager.none
        /// Between a private server and who views it.
        public var clipboard = Clipboard.none

        /// At the caller's Wayland compositor.
        public var securityContext = SecurityContext.preferred
        /// Whether the box gets the host's graphics devices (/dev/dri).
        public var gpu = false
        /// Whether the box gets the host's sound server (PulseAudio's protocol).
        public var sound = false
        /// Variables that lead to a server.
        public static let variables = ["DISPLAY", "XAUTHORITY"]

        public init() {}
    }

    public enum Server: String, Sendable, CaseIterable {
        /// Nothing is done about displays.
        case none
        /// The caller's own: its Wayland compositor where there is one, else its X server, as a client that it does not
        /// trust (Xsecurity(7)).
        case host
        /// An X server of the box's own, TigerVNC's Xvnc.
        case `private`
    }

    /// Programs of that name, but for `none`.
    /// Where X servers have their sockets.
    public static let xSockets = "/tmp/.X11-unix"

    public enum WindowManager: String, Sendable, CaseIterable {
        case none
        /// Frames around windows, several side by side.
        case openbox
        /// One window fills the screen, dialogs before it.
        case matchbox
    }

    public enum Clipboard: String, Sendable, CaseIterable {
        case none, both
        /// What the viewer has copied can be pasted in the box.
        case toBox = "to-box"
        /// What was copied in the box can be pasted by the viewer.
        case fromBox = "from-box"
    }

    /// Whether a compositor has to tell the box from other programs (security-context-v1).
    public enum SecurityContext: String, Sendable, CaseIterable { case preferred, required }

    /// Pixels.
    public struct ScreenSize: Sendable, Equatable {
        public var width: Int
        public var height: Int

        public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }
    }
}

extension Profile.ScreenSize {
    /// What X servers take at the most; below the least no program has room.
    static let range = 64...16384

    /// Reads `1280x800`.
    init?(text: String) {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = Quantity.plain(parts[0]), let height = Quantity.plain(parts[1]),
            let width = Int(exactly: width), let height = Int(exactly: height),
            Self.range.contains(width), Self.range.contains(height)
        else { return nil }
        self.init(width: width, height: height)
    }

    /// As the profile language writes it.
    public var text: String { "\(width)x\(height)" }
}
