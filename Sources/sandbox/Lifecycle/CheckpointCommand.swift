import ArgumentParser
import Checkpoint
import Glibc
import Kernel
import Launch
import SandboxKit

/// `sandbox checkpoint`: CRIU saves a sandbox.
struct CheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "Save a sandbox with its memory and connections in a snapshot.",
        discussion: """
            The sandbox ends once it is saved, and 'sandbox ps -a' shows it as checkpointed; 'sandbox restore' lets it \
            go on where it was. Whatever fails lets the application go on as before, and leaves no snapshot. The \
            engine is CRIU 4.2 or newer ('sandbox doctor' tells). A sandbox that is to be saved is started with -d and \
            checkpoint.enabled = true. Prints the snapshot's name.

            With --check nothing is saved: it names each thing in the way, by process, descriptor and path, and what to \
            do about it. The same is looked at before every save.
            """)

    @Argument(help: "The sandbox.", completion: .kind(.sandboxes))
    var name: String
    @Option(name: .customLong("snapshot"), help: ArgumentHelp("Name of the snapshot.", valueName: "id"))
    var snapshot: String?
    @Flag(name: .customLong("leave-running"), help: "Let the application go on.")
    var leaveRunning = false
    @Flag(
        name: .customLong("compress"), inversion: .prefixedNo,
        help: "Whether the snapshot is compressed once the application has been let go; else as the profile says.")
    var compress: Bool?
    @Flag(
        name: .customLong("no-sync"),
        help: "Do not wait for the disk: a power cut soon afterwards can take the snapshot.")
    var noSync = false
    @OptionGroup var preCopy: PreCopyOptions
    @Option(
        name: .customLong("tcp"),
        help: "TCP connections: established (they go on after a restore) or close; else as the profile says.")
    fileprivate var tcp: TCPChoice?

    @Flag(name: .customLong("check"), help: "Only name what is in the way of saving it.")
    var check = false
    @Flag(name: .customLong("json"), help: "Print one JSON document, an array, instead of text (with --check).")
    var json = false

    func validate() throws {
        if json, !check { throw ValidationError("--json needs --check") }
        if check, snapshot != nil || leaveRunning || noSync || preCopy.isOn == true {
            throw ValidationError(
                "--check saves nothing: it goes without --snapshot, --leave-running, --no-sync and --pre-copy")
        }
    }

    func run() throws {
        let connections: Connections? = tcp.map { $0 == .close ? .close : .established }
        if check { return try tellBlockers(connections) }
        do throws(LaunchError) {
            var options = CheckpointOptions()
            options.snapshot = snapshot
            options.leavesRunning = leaveRunning
            options.compresses = compress
            options.connections = connections
            options.syncs = !noSync
            (options.copiesBefore, options.preCopy) = (preCopy.isOn, preCopy.plan)
            options.notice = { Output.note($0) }
            let id = try progress.during { () throws(LaunchError) in try Sandbox(name).checkpoint(options) }
            print(id)
        } catch {
            Output.error(error.message)
            throw ExitCode(error.status)
        }
    }
}

extension CheckpointCommand {
    /// As much is written as its processes have in memory, more or less. What cannot be told is not shown.
    fileprivate var progress: ProgressLine {
        var line = ProgressLine(title: "saving \(name)")
        guard let store = try? SnapshotStore.ofCaller().path, let root = try? Sandbox(name).record().process?.pid,
            let processes = try? processTree(of: root)
        else { return line }
        line.total = processes.reduce(0) { $0 + ProgressLine.residentBytes(of: $1) }
        let own = getpid()
        line.measure = { ProgressLine.hiddenBytes(of: own, in: store) }
        return line
    }
}

/// What `--tcp` takes.
private enum TCPChoice: String, ExpressibleByArgument, CaseIterable {
    case established, close
}
