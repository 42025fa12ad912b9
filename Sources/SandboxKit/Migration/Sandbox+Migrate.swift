public import Checkpoint
import Glibc
import Kernel
public import Launch
public import Profile
import Switching

/// How a sandbox is to move to another host.
public struct MigrationOptions: Sendable {
    /// Its name there; as here where `nil`.
    public var name: String?
    /// The switch of its first interface there; one of the same name where `nil`.
    public var switchName: String?
    /// What becomes of TCP connections; as the profile says where `nil`.
    public var connections: Connections?
    /// The program that runs a command on a host, and its options.
    public var ssh = ["ssh"]
    /// How this program is called there, for a shell.
    public var remoteCommand = "sandbox"

    public init() {}
}

extension Sandbox {
    /// Moves the sandbox to another host, with its memory and connections: it is saved, carried over and brought back
    /// there while it stands still here. Whatever fails before it runs there lets it go on here.
    /// - Returns: for how many microseconds it stood still.
    public func migrate(to host: String, _ options: MigrationOptions = MigrationOptions()) throws(LaunchError) -> Int {
        // Its end is told by what write(2) returns.
        signal(SIGPIPE, SIG_IGN)
        var words = ["receive", options.name ?? name]
        if let fabric = options.switchName { words.append("--switch=\(fabric)") }
        let remote = try RemoteHost(
            host, ssh: options.ssh, command: ([options.remoteCommand] + words.map(quotedWord)).joined(separator: " "))
        defer { remote.end() }
        try remote.expect(.ready)
        var saving = CheckpointOptions()
        saving.connections = options.connections
        var pause = 0
        let snapshot = try checkpoint(saving) { id, frozen throws(LaunchError) in
            let begun = monotonicMicroseconds()
            try send(id, to: remote)
            try remote.expect(.restored)
            pause = frozen + monotonicMicroseconds() - begun
        }
        do throws(LaunchError) {
            try remote.commit()
            try remote.expect(.done)
        } catch {
            throw LaunchError(
                "\(error.message): it may not run there", mend: "'sandbox restore \(snapshot)' brings it back here")
        }
        try EventLog(registry.state).add("migrated", name)
        try remove(force: true)
        try stored { () throws(SnapshotError) in try SnapshotStore.ofCaller().delete(snapshot) }
        return pause
    }

    private func send(_ snapshot: String, to remote: RemoteHost) throws(LaunchError) {
        let pipe = try translated { () throws(SystemError) in try makePipe("send the snapshot") }
        let carrier: FramingProcess
        do throws(SystemError) {
            carrier = try FramingProcess(foreign: [pipe.write]) { () throws(SystemError) in
                try Framing.wrap(pipe.read, to: remote.input)
            }
        } catch {
            close(pipe.write)
            close(pipe.read)
            throw LaunchError(error)
        }
        close(pipe.read)
        do throws(SnapshotError) {
            try SnapshotStore.ofCaller().export(snapshot, to: pipe.write)
        } catch {
            close(pipe.write)
            // The other host knows better what is wrong, when it has ended the conversation.
            try remote.expect(.restored)
            throw LaunchError(error.message)
        }
        close(pipe.write)
        // Where it has not, the other host says why.
        _ = try translated { () throws(SystemError) in try carrier.finish() }
    }

    /// The other side of ``migrate(to:_:)``: takes a sandbox in from standard input, says on standard output how far it
    /// is, and lets the sandbox stay when it is told so. The process must have one thread.
    /// - Parameter options: its name and switch.
    public static func receive(_ options: RestoreOptions) throws(LaunchError) {
        signal(SIGPIPE, SIG_IGN)
        do throws(LaunchError) {
            try take(options)
        } catch {
            let line = error.message.split(separator: "\n").joined(separator: " ")
            say(.failed, error.key.map { "\($0): \(line)" } ?? line)
            throw error
        }
    }

    private static func take(_ options: RestoreOptions) throws(LaunchError) {
        let registry = try Registry.ofCaller()
        _ = try CRIUEngine.find()
        let name = options.name ?? ""
        try Registry.check(name)
        if let record = try registry.settle(name), record.isUnderWay {
            throw LaunchError("a sandbox named \"\(name)\" is running already", mend: "name another with -n")
        }
        if let fabric = options.switchName {
            try switched { () throws(SwitchError) in _ = try SwitchStore(registry.state).existing(fabric) }
        }
        say(.ready)
        let store = try stored { () throws(SnapshotError) in try SnapshotStore.ofCaller() }
        let id = try takeSnapshot(store)
        do throws(LaunchError) {
            let found = try stored { () throws(SnapshotError) in try store.verified(id) }
            var options = options
            options.isDetached = true
            _ = try Restoration(registry, found, options).run(found, isDetached: true)
        } catch {
            var error = error
            do throws(SnapshotError) { try store.delete(id) } catch let second {
                error.message += "; \(second.message)"
            }
            throw error
        }
        say(.restored)
        let sandbox = Sandbox(name, registry)
        let stays = isCommitted()
        if stays { try sandbox.announce() } else { try sandbox.remove(force: true) }
        try stored { () throws(SnapshotError) in try store.delete(id) }
        guard stays else { throw LaunchError("the sandbox goes on where it was: it was not told to stay here") }
        say(.done)
    }

    /// - Returns: the snapshot's name.
    private static func takeSnapshot(_ store: SnapshotStore) throws(LaunchError) -> String {
        let pipe = try translated { () throws(SystemError) in try makePipe("take the snapshot") }
        defer { close(pipe.read) }
        let carrier: FramingProcess
        do throws(SystemError) {
            carrier = try FramingProcess(foreign: [pipe.read]) { () throws(SystemError) in
                try Framing.unwrap(STDIN_FILENO, to: pipe.write)
            }
        } catch {
            close(pipe.write)
            throw LaunchError(error)
        }
        close(pipe.write)
        let snapshot = try stored { () throws(SnapshotError) in try store.take(from: pipe.read, name: "the snapshot") }
        guard try translated({ () throws(SystemError) in try carrier.finish() }) else {
            throw LaunchError("the snapshot was cut off")
        }
        return snapshot.manifest.id
    }

    private static func isCommitted() -> Bool {
        var word: UInt8 = 0
        while true {
            let count = read(STDIN_FILENO, &word, 1)
            if count < 0, errno == EINTR { continue }
            return count == 1 && word == RemoteHost.commit
        }
    }

    private static func say(_ word: RemoteHost.Word, _ text: String = "") {
        let line = Array((text.isEmpty ? word.rawValue : "\(word.rawValue) \(text)").utf8) + [0x0a]
        // One who is gone need not be told.
        _ = write(STDOUT_FILENO, line, line.count)
    }
}
