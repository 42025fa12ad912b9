import CLinux
import Glibc

/// The modes of a terminal, to be given back to it (termios(3)).
public struct TerminalModes: Sendable {
    private let terminal: Int32
    private let saved: termios

    /// `nil` where the descriptor is no terminal.
    public init?(of terminal: Int32) {
        var modes = termios()
        guard tcgetattr(terminal, &modes) == 0 else { return nil }
        self.terminal = terminal
        saved = modes
    }

    /// Lets every byte through as it is, in both directions (cfmakeraw(3)).
    public func makeRaw() throws(SystemError) {
        var raw = saved
        cfmakeraw(&raw)
        try check("change the modes of the terminal") { tcsetattr(terminal, TCSADRAIN, &raw) }
    }

    /// Gives the terminal the modes back that it had.
    public func restore() throws(SystemError) {
        var modes = saved
        try check("give the terminal its modes back") { tcsetattr(terminal, TCSADRAIN, &modes) }
    }
}
