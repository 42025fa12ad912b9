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
    /// Whether it goes on there before its memory is there, which is brought over as it is needed, and all of it in the
    /// end.
    public var isLazy = false
    /// Whether its memory is carried over before, while it runs here; as the profile says where `nil`, but with
    /// ``isLazy``.
    public var copiesBefore: Bool?
    /// How often at the most.
    public var preCopy = PreCopyPlan()
    /// The program that runs a command on a host, and its options.
    public var ssh = ["ssh"]
    /// How this program is called there, for a shell.
    public var remoteCommand = "sandbox"

    /// What is usual.
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
        if options.isLazy {
            words.append("--lazy")
            try requirePipes()
        }
        let copiesBefore = try self.copiesBefore(options)
        if copiesBefore {
            words.append("--pre-copy")
            try CRIUEngine.find().requireMemoryTracking()
        }
        let remote = try RemoteHost(
            host, ssh: options.ssh, command: ([options.remoteCommand] + words.map(quotedWord)).joined(separator: " "))
        defer { remote.end() }
        try remote.expect(.ready)
        var saving = CheckpointOptions()
        saving.connections = options.connections
        // It is deleted in the end.
        saving.compresses = false
        // Without memory it is of no use after a power cut.
        saving.syncs = !options.isLazy
        (saving.copiesBefore, saving.preCopy) = (copiesBefore, options.preCopy)
        if options.isLazy { return try migrateLazily(to: remote, saving) }
        var pause = 0
        var gone: Set<String>?
        if copiesBefore { gone = [] }
        let handOver = { (id: String, frozen: Int) throws(LaunchError) in
            let begun = monotonicMicroseconds()
            if gone != nil { try remote.announce(.snapshot) }
            try remote.heeding { () throws(LaunchError) in
                try send(to: remote) { pipe throws(SnapshotError) in
                    let store = try SnapshotStore.ofCaller()
                    if let gone {
                        try store.export(id, leaving: gone, to: pipe)
                    } else {
                        try store.export(id, to: pipe)
                    }
                }
            }
            try remote.expect(.restored)
            pause = frozen + monotonicMicroseconds() - begun
        }
        let (frames, ports) = (try waitingFrames(), try record().ports)
        let snapshot: String
        do throws(LaunchError) {
            snapshot = try checkpoint(saving, handOver: handOver, frames: frames) { files, draft throws(LaunchError) in
                try remote.announce(.copy)
                try remote.heeding { () throws(LaunchError) in
                    try send(to: remote) { pipe throws(SnapshotError) in
                        try SnapshotStore.export(files, of: draft, to: pipe)
                    }
                }
                gone?.formUnion(files.map(\.path))
            }
        } catch {
            frames?.pass()
            throw error
        }
        // It runs there by now, and has ended here.
        tell(ports, isHere: false)
        frames?.pass()
        frames?.end()
        do throws(LaunchError) {
            try remote.commit()
            try remote.expect(.done)
        } catch {
            throw LaunchError(
                "\(error.message): it may not run there", mend: "'sandbox restore \(snapshot)' brings it back here")
        }
        try forget(snapshot)
        return pause
    }

    private func copiesBefore(_ options: MigrationOptions) throws(LaunchError) -> Bool {
        if options.isLazy {
            guard options.copiesBefore != true else {
                throw LaunchError("memory goes over before or afterwards", mend: "leave out --lazy, or --pre-copy")
            }
            return false
        }
        if let chosen = options.copiesBefore { return chosen }
        return try registry.profile(of: name).checkpoint.preCopy
    }

    /// It runs elsewhere now.
    private func forget(_ snapshot: String) throws(LaunchError) {
        try EventLog(registry.state).add("migrated", name)
        try remove(force: true)
        try stored { () throws(SnapshotError) in try SnapshotStore.ofCaller().delete(snapshot) }
    }

    /// Moves it, and its memory afterwards: over the connection that is there, which is as safe as ssh is, and needs
    /// neither a port nor a key of its own.
    private func migrateLazily(
        to remote: RemoteHost, _ saving: CheckpointOptions
    ) throws(LaunchError) -> Int {
        let (sandbox, record) = (self, try record())
        let ports = record.ports
        let frames = try waitingFrames()
        let move = try LazyMove(name, to: remote, frames) { isHere in
            sandbox.tell(ports, isHere: isHere)
        } park: { () throws(LaunchError) in
            try sandbox.park(record)
        } _: { id throws(LaunchError) in
            try send(to: remote) { pipe throws(SnapshotError) in try SnapshotStore.ofCaller().export(id, to: pipe) }
        }
        do throws(LaunchError) {
            let snapshot = try checkpoint(saving, handOver: nil, move: move, frames: frames)
            frames?.end()
            try forget(snapshot)
        } catch {
            var error = error
            frames?.pass()
            do throws(LaunchError) {
                try EventLog(registry.state).add(
                    "migration-failed", name, [("host", .string(remote.host)), ("reason", .string(error.message))])
                // Its neighbours may know it there.
                if move.isBack {
                    try station(ports, isHere: true)
                    try announce()
                }
            } catch let second {
                error.message += "; \(second.message)"
            }
            throw error
        }
        return move.pause
    }

    /// CRIU keeps memory in pipes of four mebibytes until it is asked for.
    private func requirePipes() throws(LaunchError) {
        let needed = 1 << 22
        let (limit, status) = try translated { () throws(SystemError) in
            (try readText("/proc/sys/fs/pipe-max-size"), try readText("/proc/self/status"))
        }
        let size = limit.split(separator: "\n").first.flatMap { Int($0) } ?? needed
        let capabilities = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let set = capabilities?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
        // CAP_SYS_RESOURCE
        if size >= needed || set & 1 << 24 != 0 { return }
        throw LaunchError(
            "memory cannot be left behind here: pipes have at most \(size) bytes, and CAP_SYS_RESOURCE is missing",
            mend: "sysctl -w fs.pipe-max-size=\(needed), or leave out --lazy")
    }

    /// - Parameter write: writes an archive.
    private func send(
        to remote: RemoteHost, _ write: (_ pipe: Int32) throws(SnapshotError) -> Void
    ) throws(LaunchError) {
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
            try write(pipe.write)
        } catch {
            close(pipe.write)
            _ = try translated { () throws(SystemError) in try carrier.finish() }
            throw LaunchError(error.message)
        }
        close(pipe.write)
        // Where it has not, the other host says why.
        _ = try translated { () throws(SystemError) in try carrier.finish() }
    }

    /// The other side of ``migrate(to:_:)``: takes a sandbox in from standard input, says on standard output how far it
    /// is, and lets the sandbox stay when it is told so. The process must have one thread.
    /// - Parameter options: its name and switch.
    /// - Parameter takesCopies: whether copies of its memory come before it.
    public static func receive(_ options: RestoreOptions, takesCopies: Bool = false) throws(LaunchError) {
        signal(SIGPIPE, SIG_IGN)
        var speech = Speech()
        do throws(LaunchError) {
            try take(options, takesCopies, &speech)
        } catch {
            let line = error.message.split(separator: "\n").joined(separator: " ")
            speech.say(.failed, error.key.map { "\($0): \(line)" } ?? line)
            throw error
        }
    }

    private static func take(
        _ options: RestoreOptions, _ takesCopies: Bool, _ speech: inout Speech
    ) throws(LaunchError) {
        let registry = try Registry.ofCaller()
        if options.isLazy { try LateMemory.check() }
        _ = try CRIUEngine.find()
        let name = options.name ?? ""
        try Registry.check(name)
        if let record = try registry.settle(name), record.isUnderWay {
            throw LaunchError("a sandbox named \"\(name)\" is running already", mend: "name another with -n")
        }
        if let fabric = options.switchName {
            try switched { () throws(SwitchError) in _ = try SwitchStore(registry.state).existing(fabric) }
        }
        speech.say(.ready)
        speech.isFramed = options.isLazy
        let store = try stored { () throws(SnapshotError) in try SnapshotStore.ofCaller() }
        // All of it has been checked on its way here, and written to a directory of our own.
        let found = try takesCopies ? takeCopies(store) : takeSnapshot(store)
        let id = found.manifest.id
        var options = options
        if options.isLazy { options.pages = try joinPages() }
        do throws(LaunchError) {
            options.isDetached = true
            _ = try Restoration(registry, found, options).run(found, isDetached: true)
        } catch {
            var error = error
            do throws(SnapshotError) { try store.delete(id) } catch let second {
                error.message += "; \(second.message)"
            }
            throw error
        }
        speech.say(.restored)
        let sandbox = Sandbox(name, registry)
        if let pages = options.pages {
            do throws(LaunchError) {
                try sandbox.announce()
                try awaitMemory(pages)
            } catch {
                var error = error
                do throws(LaunchError) { try clear(sandbox, id, store) } catch let second {
                    error.message += "; \(second.message)"
                }
                throw error
            }
            speech.say(.whole)
            speech.isFramed = false
        }
        let stays = isCommitted()
        if stays, let pages = options.pages { try letStay(pages) }
        if stays { try sandbox.announce() } else { try sandbox.remove(force: true) }
        try stored { () throws(SnapshotError) in try store.delete(id) }
        guard stays else { throw LaunchError("the sandbox goes on where it was: it was not told to stay here") }
        speech.say(.done)
    }

    private static func takeSnapshot(
        _ store: SnapshotStore, _ arrived: ArrivedCopies? = nil
    ) throws(LaunchError) -> Snapshot {
        try unwrapped { pipe throws(SnapshotError) in
            try store.take(from: pipe, name: "the snapshot", ArchiveKeys(), arrived)
        }
    }

    /// Takes copies of its memory until the snapshot comes.
    private static func takeCopies(_ store: SnapshotStore) throws(LaunchError) -> Snapshot {
        let arrived = ArrivedCopies(in: store)
        do throws(LaunchError) {
            while true {
                switch try nextPart() {
                case .copy: try unwrapped { pipe throws(SnapshotError) in try arrived.take(from: pipe) }
                case .snapshot: return try takeSnapshot(store, arrived)
                }
            }
        } catch {
            var error = error
            do throws(SnapshotError) { try arrived.discard() } catch let second {
                error.message += "; \(second.message)"
            }
            throw error
        }
    }

    private static func nextPart() throws(LaunchError) -> RemoteHost.Part {
        var word: UInt8 = 0
        let count = try translated { () throws(SystemError) in
            try check("read what comes from the other host") { Int32(read(STDIN_FILENO, &word, 1)) }
        }
        if count == 0 { throw LaunchError("the connection has ended before all of the snapshot was there") }
        guard let part = RemoteHost.Part(rawValue: word) else {
            throw LaunchError("what comes from the other host is nothing of sandbox's")
        }
        return part
    }

    /// - Parameter take: reads one archive of those that come.
    private static func unwrapped<Result>(
        _ take: (_ pipe: Int32) throws(SnapshotError) -> Result
    ) throws(LaunchError) -> Result {
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
        let result = try stored { () throws(SnapshotError) in try take(pipe.read) }
        guard try translated({ () throws(SystemError) in try carrier.finish() }) else {
            throw LaunchError("the snapshot was cut off")
        }
        return result
    }

    private static func isCommitted() -> Bool {
        var word: UInt8 = 0
        while true {
            let count = read(STDIN_FILENO, &word, 1)
            if count < 0, errno == EINTR { continue }
            return count == 1 && word == RemoteHost.commit
        }
    }

}

/// What ``Sandbox/receive(_:)`` says on standard output.
private struct Speech {
    /// Whether words are frames among those of pages, and no lines.
    var isFramed = false

    func say(_ word: RemoteHost.Word, _ text: String = "") {
        let words = text.isEmpty ? word.rawValue : "\(word.rawValue) \(text)"
        let bytes = isFramed ? PageFrame.word(words).bytes : Array(words.utf8) + [0x0a]
        // One who is gone need not be told.
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}
