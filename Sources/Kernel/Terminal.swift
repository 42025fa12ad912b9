import CLinux
import Glibc

/// Pseudo-terminals and terminal modes (pty(7), termios(3), ioctl_tty(2)).
public enum Terminal {
    /// A new pseudo-terminal of the devpts instance that /dev/ptmx belongs to, in the caller's view. The peer is opened
    /// without a path, so that nothing can be put in its place.
    public static func makePair() throws(SystemError) -> (controller: Int32, peer: Int32) {
        let controller = try Descriptor(open: "/dev/ptmx", O_RDWR | O_NOCTTY)
        try check("unlock the pseudo-terminal") { linux_pty_unlock(controller.number) }
        let peer = try check("open the pseudo-terminal") {
            linux_pty_peer(controller.number, O_RDWR | O_NOCTTY | O_CLOEXEC)
        }
        return (controller.take(), peer)
    }

    /// Gives `to` the window size of `from`, where that is a terminal.
    public static func copySize(from: Int32, to: Int32) {
        var size = winsize()
        if linux_ioctl_ptr(from, UInt(TIOCGWINSZ), &size) == 0 { _ = linux_ioctl_ptr(to, UInt(TIOCSWINSZ), &size) }
    }

    /// Gives `terminal` a window size.
    public static func setSize(of terminal: Int32, rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = linux_ioctl_ptr(terminal, UInt(TIOCSWINSZ), &size)
    }

    /// The window size of `terminal`; `nil` where it is none.
    public static func size(of terminal: Int32) -> (rows: UInt16, columns: UInt16)? {
        var size = winsize()
        guard linux_ioctl_ptr(terminal, UInt(TIOCGWINSZ), &size) == 0 else { return nil }
        return (size.ws_row, size.ws_col)
    }

    /// Whether the caller has a controlling terminal.
    public static func hasControlling() -> Bool {
        let file = linux_open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC, 0)
        if file < 0 { return false }
        close(file)
        return true
    }

    /// Makes `terminal` the controlling terminal of the caller's session and the descriptors 0, 1 and 2.
    public static func adopt(_ terminal: Int32) throws(SystemError) {
        try check("take the pseudo-terminal") { linux_ioctl_int(terminal, UInt(TIOCSCTTY), 0) }
        for number: Int32 in 0...2 { try check("take the pseudo-terminal") { dup2(terminal, number) } }
    }

    /// Leaves the controlling terminal: a session of its own where possible, else the terminal is given up.
    public static func leave() throws(SystemError) {
        if setsid() >= 0 { return }
        let file = linux_open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC, 0)
        if file < 0 { return }
        defer { close(file) }
        var ignore = sigaction()
        var before = sigaction()
        ignore.__sigaction_handler.sa_handler = SIG_IGN
        sigaction(SIGHUP, &ignore, &before)
        defer { sigaction(SIGHUP, &before, nil) }
        try check("leave the controlling terminal") { linux_ioctl_int(file, UInt(TIOCNOTTY), 0) }
    }
}
