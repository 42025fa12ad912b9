import ArgumentParser
import Glibc
import Kernel
import Launch
import SandboxKit

/// `sandbox view`: the private display of a sandbox.
struct ViewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "view", abstract: "Show the display of a sandbox, or write a picture of it.",
        discussion: """
            For a sandbox with display.server = "private". Without an option a VNC viewer opens (xtigervncviewer or \
            another of TigerVNC's). With --web the display is served to browsers on this machine, at an address that \
            holds a secret and that is printed; noVNC is the viewer there. Both end with the viewer or the sandbox; when \
            the sandbox was saved by 'sandbox checkpoint' they wait until it is restored.
            """)

    @Flag(name: .customLong("web"), help: "Serve it to a browser, on the loopback interface only.")
    var web = false
    @Option(
        name: .customLong("port"), help: ArgumentHelp("The port for --web; a free one when absent.", valueName: "port"))
    var port: UInt16?
    @Option(
        name: .customLong("picture"),
        help: ArgumentHelp("Write what it shows now to a PNG file; - is standard output.", valueName: "file"),
        completion: .file())
    var picture: String?
    @Argument(help: "The sandbox.", completion: .kind(.sandboxes))
    var name: String

    func validate() throws {
        if picture != nil, web { throw UsageError("--picture and --web exclude each other", command: Self.command) }
        if port != nil, !web { throw UsageError("--port is for --web", command: Self.command) }
    }

    func run() throws {
        let sandbox = try Sandbox(name)
        if let picture { return try writePicture(try sandbox.picture(), to: picture) }
        let viewer: any DisplayViewer =
            web ? try WebViewer(port: port ?? 0) : try WindowViewer(path: sandbox.display().path)
        throw ExitCode(try ViewSession(sandbox: sandbox, viewer: viewer).run())
    }

    private static let command = "sandbox view"
}

/// Writes a picture to a file of the caller's alone, or to standard output for `-`.
func writePicture(_ bytes: [UInt8], to file: String) throws(SystemError) {
    if file == "-" { return try Output.write(bytes) }
    let output = try Descriptor(open: file, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try Output.write(bytes, to: output.number, name: file)
}
