/// What the page of `view` says.
extension ManualProse {
    static let view = ManualProse(
        details: [
            """
            The X server of such a box is a process of the box, Xvnc of TigerVNC, with sockets in the box's own file tree: \
            it listens to no port, and the socket for viewers is open to its owner alone. What is copied passes as \
            display.clipboard says. Nothing of sandbox stays beside the application for it.
            """,
            """
            The address that --web prints holds a secret: without it the page opens and the display does not. It is \
            served on 127.0.0.1 only; from another machine ssh -L leads there.
            """,
            """
            A picture is made of the pixels of the display, outside the box. 'sandbox checkpoint' puts one into the \
            snapshot, and sends viewers away: a connection that leads out of a box cannot be saved. Viewers come back by \
            themselves when the sandbox does.
            """,
        ],
        examples: [
            ("An editor on a display of its own, viewed:", "sandbox run -d -n notes -p editor\nsandbox view notes"),
            ("The same as one program, which ends with the viewer:", "sandbox run --view -p editor"),
            ("In a browser:", "sandbox view notes --web"),
            ("What it shows now:", "sandbox view notes --picture notes.png"),
            (
                "Saved, and brought back as it was:",
                "sandbox checkpoint notes\nsandbox snapshot show notes --picture notes.png\nsandbox restore notes -d"
            ),
        ],
        seeAlso: [("websockify", 1), ("xtigervncviewer", 1), ("Xvnc", 1)],
        exit: [
            ("*", "The viewer's own; 0 when the sandbox ended first."),
            (
                "125",
                "There is no such display, or nothing to view it with; one line on standard error says what to do."
            ),
        ])
}
