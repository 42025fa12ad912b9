extension Schema {
    static let display: [Key] = [
        Key(
            "server", .string(.choice(Profile.Server.allCases.map { $0.rawValue })),
            "Where windows appear: private, an X server of the box's own, which nobody else reaches and 'sandbox view' "
                + "shows; host, the caller's Wayland compositor, or its X server as a client that it does not trust; none, "
                + "nothing is done about displays",
            example: "\"private\"", fallback: "none", basis: "Xvnc(1)"),
        Key(
            "size", .string(.screenSize), "Width and height of a private server's screen, in pixels",
            example: "\"1280x800\"", fallback: "\"1280x800\""),
        Key(
            "window-manager", .string(.choice(Profile.WindowManager.allCases.map { $0.rawValue })),
            "Places the windows of a private server: openbox, with frames, side by side; matchbox, one window fills the "
                + "screen and dialogs come before it",
            example: "\"openbox\"", fallback: "none", basis: "openbox(1)"),
        Key(
            "clipboard", .string(.choice(Profile.Clipboard.allCases.map { $0.rawValue })),
            "Which way copied text passes between a private server and its viewer",
            example: "\"to-box\"", fallback: "none"),
        Key(
            "wayland-security-context", .string(.choice(Profile.SecurityContext.allCases.map { $0.rawValue })),
            "What is to be where the caller's compositor does not tell confined clients from others: preferred, it is said and "
                + "done without; required, that is an error, and so is an X server",
            example: "\"required\"", fallback: "preferred", basis: "security-context-v1"),
        Key(
            "gpu", .boolean, "Whether the box gets the host's graphics devices, /dev/dri", example: "true",
            fallback: "false"),
        Key(
            "sound", .boolean,
            "Whether the box gets the socket of the host's sound server, PulseAudio or PipeWire in its place; its "
                + "microphones are in reach by it, too",
            example: "true", fallback: "false"),
    ]
}

extension Form {
    static func screenSizeProblem(_ text: String) -> Problem? {
        if Profile.ScreenSize(text: text) != nil { return nil }
        let range = Profile.ScreenSize.range
        return Problem(
            "\(quote(text)) is no size of a screen",
            mend: "write it like \"1280x800\", each from \(range.lowerBound) to \(range.upperBound)")
    }
}
