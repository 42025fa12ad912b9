import ArgumentParser
import CLinux
import Glibc
import Kernel

/// `sandbox manual DIR`: writes the manual pages, for `make install`.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Write the manual pages into a directory.", shouldDisplay: false)

    @Argument(help: "The directory; it must exist.")
    var directory: String

    func run() throws {
        for page in try Manual.pages() {
            let path = directory + "/" + page.fileName
            let file = try Descriptor(open: path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
            try Output.write(page.text, to: file.number, name: path)
        }
    }
}
