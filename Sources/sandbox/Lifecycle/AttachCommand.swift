import ArgumentParser
import Glibc
import Kernel
import Launch
import SandboxKit

/// `sandbox attach`: at the terminal of a detached sandbox.
struct AttachCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "Look at, and type into, the terminal of a detached sandbox.",
        usage: "sandbox attach [--read-only] [--detach-key <key>] <name>",
        discussion: """
            Begins with the last lines that the sandbox has written, and ends with its command's exit status, or with 0 \
            when the detach key is typed: the sandbox goes on then. One may type, others look on. Where standard input \
            is no terminal, what comes from it is typed as it is.
            """)

    @Argument(help: "The sandbox, which was started with -d and -t.")
    var name: String

    @Flag(help: "Only look on; others may do that at the same time.")
    var readOnly = false

    @Option(
        help: ArgumentHelp(
            "What to type to leave the sandbox alone: ctrl- and a letter or one of @[\\]^_, a character, or none.",
            valueName: "key"))
    var detachKey = "ctrl-]"

    func run() throws {
        guard let key = DetachKey(detachKey) else {
            throw UsageError(
                "\"\(detachKey)\" is no detach key; write it as ctrl-a, ctrl-] or none", command: "sandbox attach")
        }
        var session = try AttachSession(name, of: Registry.ofCaller(), readOnly: readOnly, key: key)
        let status = try session.run()
        if status != ExitStatus.success { throw ExitCode(status) }
    }
}
