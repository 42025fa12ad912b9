import CLinux
import Glibc

/// An interactive shell on a terminal of its own, with our completion loaded and a home with one profile, `ownpage`.
final class CompletionShell {
    enum Kind: String, CaseIterable { case bash, zsh, fish }

    struct Failure: Error { var text: String }

    private let control: Int32
    private let pid: pid_t
    private let home: String
    private var seen: [UInt8] = []

    init(_ kind: Kind) throws {
        home = try CompletionShell.makeHome()
        control = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)
        var name = [CChar](repeating: 0, count: 128)
        guard control >= 0, grantpt(control) == 0, unlockpt(control) == 0, ptsname_r(control, &name, name.count) == 0
        else { throw Failure(text: "no terminal") }
        var size = winsize(ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0)
        _ = linux_ioctl_ptr(control, UInt(TIOCSWINSZ), &size)
        pid = try CompletionShell.start(kind, terminal: name, home: home)
        type(CompletionShell.setUp(kind) + "; echo LOA''DED\n")
        guard expect("LOADED\r\n") else { throw Failure(text: "\(kind) is not ready: \(transcript)") }
    }

    deinit {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        close(control)
        CompletionShell.remove(home)
    }

    /// Types `line` and a tab, and waits until `text` stands on the terminal; then clears the line.
    func completes(_ line: String, to text: String) -> Bool {
        seen = []
        type(line + "\t")
        let found = expect(text)
        type("\u{15}")
        return found
    }

    /// What a tab after `line` makes of it, once the shell has come to rest.
    func afterTab(_ line: String) -> String {
        seen = []
        type(line + "\t\u{15}echo DO''NE\n")
        return expect("DONE\r\n") ? transcript : ""
    }

    /// What came, without escape sequences.
    var transcript: String {
        var text = ""
        var scalars = String(decoding: seen, as: UTF8.self).unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            guard scalar == "\u{1b}" else {
                text.unicodeScalars.append(scalar)
                continue
            }
            guard let next = scalars.popFirst(), next == "[" || next == "(" || next == "]" else { continue }
            if next == "(" { _ = scalars.popFirst() }
            if next == "[" { while let end = scalars.popFirst(), !(0x40...0x7e).contains(end.value) {} }
            if next == "]" { while let end = scalars.popFirst(), end != "\u{7}", end != "\\" {} }
        }
        return text
    }

    private func type(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(control, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// Reads until `text` has come, for at most 30 seconds.
    private func expect(_ text: String) -> Bool {
        let end = time(nil) + 30
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !transcript.contains(text) {
            var waiting = pollfd(fd: control, events: Int16(POLLIN), revents: 0)
            if time(nil) > end { return false }
            if poll(&waiting, 1, 500) <= 0 { continue }
            let count = read(control, &buffer, buffer.count)
            if count <= 0 { return false }
            seen.append(contentsOf: buffer[..<count])
        }
        return true
    }
}

extension CompletionShell {
    /// The source tree.
    static let root = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 }

    private static func setUp(_ kind: Kind) -> String {
        switch kind {
        case .bash:
            "bind 'set bell-style none'; for f in /usr/share/bash-completion/bash_completion "
                + "\(root)/completions/sandbox.bash; do [ -e $f ] && . $f; done"
        case .zsh:
            "unsetopt beep; fpath=(\(root)/completions $fpath); autoload -Uz compinit; compinit -u -D"
        case .fish: "source \(root)/completions/sandbox.fish"
        }
    }

    private static func start(_ kind: Kind, terminal: [CChar], home: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Opened by the leader of a new session, it becomes the controlling terminal.
        posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSID))
        let options =
            switch kind {
            case .bash: ["--norc", "--noprofile", "-i"]
            case .zsh: ["-f", "-i"]
            case .fish: ["-i"]
            }
        let environment = [
            "HOME=\(home)", "SANDBOX_STATE=\(home)/state", "PATH=\(folder):/usr/bin:/bin", "LC_ALL=C.UTF-8",
            "TERM=\(kind == .fish ? "xterm" : "dumb")",
        ]
        var words = ([kind.rawValue] + options).map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, "/usr/bin/\(kind.rawValue)", &actions, &attributes, &words, &variables) == 0 else {
            throw Failure(text: "\(kind) does not start")
        }
        return pid
    }

    /// Where the tests and the executable are built.
    private static var folder: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? 0
        }
        let path = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
    }

    private static func makeHome() throws -> String {
        var template = Array("/tmp/sandbox-completion-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(text: "no directory") }
        let home = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var folder = home
        for part in [".config", "sandbox", "profiles"] {
            folder += "/" + part
            mkdir(folder, 0o700)
        }
        let file = open(folder + "/ownpage.toml", O_WRONLY | O_CREAT, 0o600)
        let text = "description = \"for completion\"\n"
        guard file >= 0, write(file, text, text.utf8.count) == text.utf8.count else {
            throw Failure(text: "no profile")
        }
        close(file)
        // The name of a sandbox of which nothing is known.
        for part in ["/state", "/state/sandboxes", "/state/sandboxes/ownbox"] { mkdir(home + part, 0o700) }
        return home
    }

    /// Removes a tree: what the shells write to their home is theirs to choose.
    private static func remove(_ path: String) {
        nftw(path, { path, _, _, _ in path.map { Glibc.remove($0) } ?? -1 }, 16, Int32(FTW_DEPTH | FTW_PHYS))
    }
}
