import ArgumentParser
import CLinux
import Glibc
import Kernel
import Profile
import SandboxKit

/// `sandbox profile new`: a starter, every key in a comment.
struct ProfileNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Write a new profile, with every key explained in a comment.",
        discussion: """
            A name is written to your own profiles; a path, with a slash or the ending .toml, is written as it is; '-' \
            is standard output. A file that exists is left alone.
            """)

    @Argument(
        help: ArgumentHelp("A name, a path, or '-'.", valueName: "profile"), completion: .file(extensions: ["toml"]))
    var profile: String

    func run() throws {
        if profile == "-" { return try Output.write(Schema.starterText(name: "new")) }
        let path = try path()
        let name = path.split(separator: "/").last.map { $0.hasSuffix(".toml") ? $0.dropLast(5) : $0 } ?? ""
        let file: Int32
        do throws(SystemError) {
            file = try check("write \(path)") { linux_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644) }
        } catch {
            if error.code == EEXIST {
                throw UsageError("\(path) exists and is left alone", command: "sandbox profile new")
            }
            throw error
        }
        let opened = Descriptor(file)
        try Output.write(Schema.starterText(name: String(name)), to: opened.number, name: path)
        try Output.line(printable(path))
    }

    private func path() throws -> String {
        if ProfileStore.isPath(profile) { return profile }
        guard ProfileStore.isName(profile) else {
            throw UsageError("'\(profile)' cannot be a profile's name", command: "sandbox profile new")
        }
        guard let folder = ProfileStore.ofCaller().directories.first, folder.hasPrefix("/") else {
            throw UsageError("there is no directory of your own; give a path", command: "sandbox profile new")
        }
        try makeDirectories(folder)
        return folder + "/" + profile + ".toml"
    }

    private func makeDirectories(_ path: String) throws(SystemError) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            if mkdir(made, 0o755) != 0 && errno != EEXIST { throw SystemError("make \(made)", code: errno) }
        }
    }
}
