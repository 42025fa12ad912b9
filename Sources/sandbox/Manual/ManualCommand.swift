import ArgumentParser
import CLinux
import Glibc
import Kernel

/// `sandbox manual DIR`: writes the manual pages by section, for `make install`.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Write the manual pages into a directory.", shouldDisplay: false)

    @Argument(help: "The directory; man1 and man5 are made in it.")
    var directory: String

    func run() throws {
        for page in try Manual.pages() {
            let folder = directory + "/man\(page.section)"
            if mkdir(folder, 0o755) != 0 && errno != EEXIST { throw SystemError("make \(folder)", code: errno) }
            let path = folder + "/" + page.fileName
            let file = try Descriptor(open: path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
            try Output.write(page.text, to: file.number, name: path)
        }
    }
}
