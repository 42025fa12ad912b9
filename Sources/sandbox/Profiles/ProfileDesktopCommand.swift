import ArgumentParser
import Glibc
import Kernel
import Launch
import Profile
import SandboxKit

/// `sandbox profile desktop`: a profile in the desktop's menus.
struct ProfileDesktopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "desktop", abstract: "Print an entry for the desktop's menus that launches a profile.",
        discussion: """
            The entry runs the profile's own command; where the box has a display of its own, in a viewer, and the box \
            ends when that is closed. Icon, categories and kinds of files are those of the program's own entry, where it \
            has one; a file that is handed over must be one that the profile lets the program see.
            """)

    @Flag(
        name: .customLong("install"),
        help: "Write it to $XDG_DATA_HOME/applications (~/.local/share/applications) instead, and print where.")
    var install = false
    @Option(
        name: .customLong("title"),
        help: ArgumentHelp("What the menu shows; the profile's name when absent.", valueName: "text"))
    var title: String?
    @Argument(help: ArgumentHelp("A name or a file.", valueName: "profile"), completion: .kind(.profiles))
    var profile: String

    func run() throws {
        let text = try entry().text
        guard install else { return try Output.write(text) }
        let path = try folder() + "/sandbox-\(word).desktop"
        let file = try Descriptor(open: path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try Output.write(Array(text.utf8), to: file.number, name: path)
        try Output.line(path)
    }

    private func entry() throws -> DesktopEntry {
        let loaded = try ProfileStore.ofCaller().load([profile])
        guard let program = loaded.profile.process.command.first else {
            throw UsageError(
                "the profile \(printable(profile)) has no command to launch; give it process.command",
                command: Self.line)
        }
        guard let executable = OwnExecutable.path(), executable.hasPrefix("/") else {
            throw UsageError("the path of sandbox itself is not known", command: Self.line)
        }
        var entry = DesktopEntry(executable: executable, profile: selection, name: title ?? word)
        entry.comment = loaded.profile.description
        entry.command = loaded.profile.process.command
        entry.isViewed = loaded.profile.display.server == .private
        entry.original = try original(program)
        return entry
    }

    private static let line = "sandbox profile desktop"

    private var selection: String {
        ProfileStore.isPath(profile) ? absolute(profile, currentDirectory) : profile
    }

    /// The profile's name without folder and ending.
    private var word: String {
        let file = profile.split(separator: "/").last.map { String($0) } ?? profile
        return file.hasSuffix(".toml") ? String(file.dropLast(5)) : file
    }

    /// The program's own entry; empty where it has none that can be read.
    private func original(_ program: String) throws(LaunchError) -> [String: String] {
        let host = try HostFacts.current()
        let folders = environmentVariable("XDG_DATA_DIRS") ?? "/usr/local/share:/usr/share"
        for folder in folders.split(separator: ":") {
            for path in host.glob("\(folder)/applications/*.desktop") {
                guard let text = try? readText(path) else { continue }
                let keys = DesktopEntry.keys(of: text)
                if DesktopEntry.starts(keys, program) { return keys }
            }
        }
        return [:]
    }

    /// The folder of the caller's own entries, made where it is missing.
    private func folder() throws(LaunchError) -> String {
        var base = environmentVariable("XDG_DATA_HOME") ?? ""
        if !base.hasPrefix("/") {
            guard let home = environmentVariable("HOME"), home.hasPrefix("/") else {
                throw LaunchError("there is no home for menu entries", mend: "set HOME or XDG_DATA_HOME")
            }
            base = home + "/.local/share"
        }
        var made = ""
        for part in (base + "/applications").split(separator: "/") {
            made += "/" + part
            if mkdir(made, 0o755) != 0, errno != EEXIST { throw LaunchError(SystemError("make \(made)", code: errno)) }
        }
        return made
    }
}
