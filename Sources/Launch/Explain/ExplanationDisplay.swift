import Profile

extension Explanation {
    /// Where its windows appear.
    var display: [Statement] {
        let devices = sharedDevices
        switch profile.display.server {
        case .none: return devices
        case .host: return shared + devices
        case .private: return own + devices
        }
    }

    private var sharedDevices: [Statement] {
        var statements: [Statement] = []
        if profile.display.gpu {
            statements.append(
                Statement(
                    .medium, "display", "It reaches the graphics driver in the kernel, and its memory.",
                    mend: "display.gpu = false"))
        }
        if profile.display.sound {
            statements.append(
                Statement(
                    .medium, "sound", "It reaches the sound server, and may listen to the microphone.",
                    mend: "display.sound = false"))
        }
        return statements
    }

    private var shared: [Statement] {
        [
            Statement(
                .medium, "display",
                "Its windows are among yours, and nothing stops one from looking like another program's. Under X11 the "
                    + "server does not trust it: it sees and types into no other window, but it may use up the server, and "
                    + "use faults in it; under Wayland it reads the clipboard while its window has the keyboard, and a compositor without "
                    + "security contexts does not tell it from other programs.",
                mend: "display.server = \"private\"")
        ]
    }

    private var own: [Statement] {
        let display = profile.display
        let own = Statement(
            .confined, "display", "Its windows are on a display of its own: it sees and types into no other program's.")
        switch display.clipboard {
        case .none: return [own, Statement(.confined, "clipboard", "It has a clipboard of its own.")]
        case .toBox, .both:
            let both = display.clipboard == .both ? ", and you may paste what it has copied" : ""
            return [
                own,
                Statement(
                    .medium, "clipboard", "It reads what you copy while you view it\(both).",
                    mend: "display.clipboard = \"none\""),
            ]
        case .fromBox:
            return [
                own,
                Statement(
                    .low, "clipboard", "You may paste what it has copied, commands into a terminal, say.",
                    mend: "display.clipboard = \"none\""),
            ]
        }
    }
}
