import Glibc
import Testing

/// A sandbox with a private display, and what its window shows; it is removed with the value.
final class DisplayBox: Sendable {
    let box: Box
    let name = "desk"

    /// Whether the programs are there that a display and its tests take.
    static let isPossible = ["Xtigervnc", "xterm", "xdotool", "xdpyinfo"].allSatisfy { Machine.hasProgram($0) }
    static let reason: Comment = "needs Xtigervnc, xterm, xdotool and xdpyinfo: .ci/deps"

    static let profile = """
        [namespaces]
        unshare = ["mount", "pid", "net", "ipc"]
        [process]
        init = false
        environment = { set = { HOME = "/tmp" } }
        [filesystem]
        private = ["tmp", "dev"]
        [display]
        server = "private"
        size = "640x480"
        """

    /// A terminal that keeps what is typed into it in a file.
    static let typist = ["xterm", "-e", "sh", "-c", "while read -r line; do echo \"$line\" >> /tmp/typed; done"]

    init(as uid: uid_t? = nil) throws { box = try Box(as: uid) }

    deinit {
        // There may be none.
        _ = try? box.sandbox(["rm", "-f", name])
    }

    /// Starts a command, detached.
    func start(_ toml: String = DisplayBox.profile, _ command: [String] = DisplayBox.typist) throws {
        let begun = try box.launch(toml, ["-d", "-n", name], command)
        try #require(begun.succeeded, "\(begun)")
    }

    func exec(_ command: [String]) throws -> Outcome { try box.sandbox(["exec", name, "--"] + command) }

    /// Waits for the terminal's window, and types a line there.
    func type(_ line: String) throws {
        let found = try exec(["timeout", "20", "xdotool", "search", "--sync", "--onlyvisible", "--class", "xterm"])
        try #require(found.succeeded, "\(found)")
        let window = found.lines.first ?? ""
        // The keyboard's place is the pointer's, or with a window manager that of the last click.
        let typed = try exec([
            "xdotool", "mousemove", "--sync", "--window", window, "50", "50", "click", "1", "sleep", "0.2",
            "type", "--delay", "5", line + "\n",
        ])
        #expect(typed.succeeded, "\(typed)")
    }

    /// Whether the terminal's program has read these lines, all in order, before long.
    func hasRead(_ lines: [String]) throws -> Bool {
        try Clock.waitUntil { try exec(["cat", "/tmp/typed"]).text == lines.joined(separator: "\n") }
    }

    func picture(_ file: String = "now.png") throws -> String {
        let path = box.file(file)
        let taken = try box.sandbox(["view", name, "--picture", path])
        try #require(taken.succeeded, "\(taken)")
        return path
    }

    /// How many pixels differ, by ImageMagick.
    func difference(_ one: String, _ other: String) throws -> Int? {
        let compared = try box.run(["compare", "-metric", "AE", one, other, "null:"])
        return Int(compared.err.split(separator: " ").first ?? "")
    }

    /// The pids on the host of the X servers.
    var servers: [pid_t] {
        Processes.marked(Leaks.variable, box.mark).filter { Processes.command($0).first == "Xtigervnc" }
    }
}
