import Profile

/// sandbox-profile(5): the profile language, from its schema.
enum ProfilePage {
    static func page() -> ManualPage {
        var page = ManualPage("sandbox-profile", section: 5, summary: "What an application in a box sees and may do")
        page.heading("DESCRIPTION")
        page.paragraphs(description)
        page.macro("Pp")
        page.prose("Outside of any section:")
        keys(&page, Schema.root.filter { !$0.isSection })
        for section in Schema.root where section.isSection { self.section(&page, section) }
        page.heading("FILES")
        page.list([
            ("Pa ~/.config/sandbox/profiles/*.toml", "Your profiles, or below XDG_CONFIG_HOME when that is set."),
            ("Pa /etc/sandbox/profiles/*.toml", "The administrator's profiles."),
            ("Pa /usr/local/share/sandbox/profiles/*.toml", "The shipped profiles."),
        ])
        page.examples([("A web server that sees its files, read-only, and a network of its own:", example)] + networks)
        page.seeAlso([
            ("sandbox", 1), ("sandbox-profile", 1), ("sandbox-run", 1), ("sandbox-switch", 1), ("capabilities", 7),
            ("ip-link", 8), ("namespaces", 7), ("xdg-dbus-proxy", 1),
        ])
        return page
    }

    private static let description = [
        """
        A profile is a TOML file. Its keys are those below; any other is an error. Each can be set on the command line \
        by --set section.key=value; += instead of = adds to a list.
        """,
        """
        A profile adds to those that extends names, from left to right. Tables merge, lists are appended to without \
        duplicates, and other values replace earlier ones. In a list "!x" takes x out, in a list of tables \
        { path = "!x" }; "!" alone takes a value away.
        """,
        """
        Paths are absolute, or begin with ~/, $HOME, $PWD or $XDG_ and the rest of such a variable's name; *, ? and \
        [] match names. $PWD is the caller's working directory, and alone is refused where that is, or holds, the \
        home. Sizes are bytes, or texts such as "512M" with the binary units K, M, G and T. Durations are seconds, or \
        texts such as "100ms" with the units ms, s, m and h.
        """,
        """
        What is not spelled out: binds are recursive. With new mount and pid namespaces /proc is mounted anew. The \
        entries of [filesystem] apply in the order root, overlay, read-only, private, tmpfs, bind, files, writable, \
        hide; hide wins over every bind.
        """,
    ]

    private static let example = """
        description = "My site"
        extends = ["base"]

        [namespaces]
        unshare = ["mount", "pid", "net"]

        [process]
        command = ["nginx", "-g", "daemon off;"]

        [filesystem]
        read-only = ["/"]
        private = ["tmp", "home", "dev", "run"]
        """

    private static let networks = [
        (
            "A port of a switch, that answers on two ports and asks nobody but its name server:",
            """
            [network]
            switch = "lab"
            address = ["10.1.0.5/24", "fd00:1::5/64"]
            allow = ["tcp from any:80", "tcp from any:443", "udp to 10.1.0.1:53", "icmp"]
            """
        ),
        (
            "A port that reaches the outside through the host, slowly, and that the host's callers reach:",
            """
            [network]
            switch = "outside"
            rate = { egress = "10mbit", ingress = "50mbit" }
            publish = ["8080:80/tcp", "[::1]:8443:443"]
            """
        ),
        (
            "Its own place in the host's network, beside the host:",
            """
            [network]
            attach = "macvlan"
            device = "enp3s0"
            address = "192.168.7.200/24"
            gateway = "192.168.7.1"
            """
        ),
        (
            "Two interfaces: to all in front, and to the database behind:",
            """
            [network]
            switch = "front"
            name = "front0"
            more = [{ switch = "backend", name = "back0", isolated = true }]
            """
        ),
        (
            "A desktop program that may show notifications, and take a name of its own on the session's bus:",
            """
            extends = ["desktop-base"]
            [display]
            server = "host"
            [dbus]
            session = "filtered"
            talk = ["org.freedesktop.Notifications"]
            own = ["org.example.App.*"]
            """
        ),
    ]

    private static func section(_ page: inout ManualPage, _ section: Key) {
        switch section.kind {
        case .section(let keys):
            page.subheading("The section " + mdocArgument(section.name))
            page.prose(sentence(section))
            self.keys(&page, keys())
        case .map(.oneOf(let names), _):
            page.subheading("The section " + mdocArgument(section.name))
            page.prose(sentence(section) + " Its keys are \(names().joined(separator: ", ")).")
        default: return
        }
    }

    private static func keys(_ page: inout ManualPage, _ keys: [Key]) {
        if keys.isEmpty { return }
        page.macro("Bl", "-tag -width Ds")
        for key in keys {
            page.macro(
                "It", "Cm \(mdocArgument(key.name))" + (key.example.isEmpty ? "" : " = Ar \(literal(key.example))"))
            page.prose(sentence(key))
            switch key.kind {
            case .section(let inner): self.keys(&page, inner())
            case .tables(let inner, identity: _): self.keys(&page, inner())
            default: break
            }
        }
        page.macro("El")
    }

    private static func sentence(_ key: Key) -> String {
        // A summary that begins with a value and a colon keeps the value as it is written.
        let opensWithValue = key.summary.prefix { $0 != " " }.hasSuffix(":")
        let summary = opensWithValue ? key.summary : key.summary.prefix(1).uppercased() + key.summary.dropFirst(1)
        var text = summary + "."
        if let fallback = key.fallback { text += " Default: \(fallback)." }
        if let basis = key.basis { text += " See \(basis)." }
        return text
    }

    /// One quoted argument, in which no word is taken for a macro.
    private static func literal(_ text: String) -> String {
        "\"" + mdocText(text).split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\(dq") + "\""
    }
}

extension Key {
    fileprivate var isSection: Bool {
        switch kind {
        case .section, .map: true
        default: false
        }
    }

}
