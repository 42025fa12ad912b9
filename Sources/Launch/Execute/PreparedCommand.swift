import CLinux
import Glibc
import Kernel

/// A command that was found in the box, with everything that execve(2) takes in C's form.
struct PreparedCommand {
    private let name: String
    private let path: String
    private let arguments: CommandWords
    private let environment: CommandWords

    /// Looks `command` up in the box's PATH, as execvp(3) does.
    ///
    /// What was text that is no UTF-8 is taken from the caller's own memory, where it is whole.
    init(_ command: [String], _ words: CommandWords?, environment: [String]) throws(LaunchError) {
        name = command[0]
        path = try PreparedCommand.find(name, environment)
        arguments = words ?? PreparedCommand.words(command) { PreparedCommand.copy($0) }
        self.environment = PreparedCommand.words(environment) {
            PreparedCommand.original($0) ?? PreparedCommand.copy($0)
        }
    }

    private static func copy(_ text: String) -> UnsafeMutablePointer<CChar>? { text.withCString { strdup($0) } }

    private static func words(_ texts: [String], _ word: (String) -> UnsafeMutablePointer<CChar>?) -> CommandWords {
        let words = CommandWords.allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { words[index] = word(text) }
        words[texts.count] = nil
        return words
    }

    /// The entry of environ(7) that was repaired when it became a string; nil for an entry that is whole.
    private static func original(_ entry: String) -> UnsafeMutablePointer<CChar>? {
        guard isRepaired(entry) else { return nil }
        var next = Glibc.environ
        while let candidate = next.pointee {
            if String(cString: candidate) == entry { return candidate }
            next += 1
        }
        return nil
    }

    private static func isRepaired(_ entry: String) -> Bool {
        var entry = entry
        return entry.withUTF8 { bytes in
            guard let start = bytes.baseAddress else { return false }
            return memmem(start, bytes.count, "\u{fffd}", 3) != nil
        }
    }

    /// Becomes the command. Returns only when that failed.
    func execute() -> LaunchError {
        execve(path, arguments, environment)
        return failure(errno)
    }

    /// Whether a process under `filter` can start a command, and, `staying`, be its init.
    static func canStart(under filter: SeccompProgram, staying: Bool) -> Bool {
        var spawn = linux_spawn()
        spawn.sibling = !staying
        guard filter.permits(UInt32(LINUX_SPAWN_CLONE), [UInt64(linux_spawn_flags(&spawn))]) else { return false }
        var index: UInt32 = 0
        while true {
            let call = linux_spawn_call(index, staying)
            if call < 0 { return true }
            if !filter.permits(UInt32(call)) { return false }
            index += 1
        }
    }

    /// Starts the command as a child of this process, under `filter` (Spawn.h).
    /// - Parameter mask: the signal mask that it begins with.
    /// - Parameter streams: its only descriptors, all higher than their number; it is in a session of its own then.
    ///   Empty: it inherits the caller's, and stays in the caller's session.
    /// - Parameter sibling: it becomes a child of this process's parent instead, which waits for it.
    /// - Parameter parent: the id that its parent has for it; with one, the command dies with its parent.
    func start(
        mask: SignalMask, filter: SeccompProgram?, foreground: Bool = false, sibling: Bool = false,
        dyingWith parent: Int32? = nil, streams: [Int32] = []
    ) throws(LaunchError) -> Int32 {
        var spawn = linux_spawn()
        mask.put(in: &spawn)
        spawn.foreground = foreground
        spawn.sibling = sibling
        spawn.death_signal = parent == nil ? 0 : SIGKILL
        spawn.parent = parent ?? 0
        spawn.filter_count = UInt16(truncatingIfNeeded: filter?.count ?? 0)
        let pid = path.withCString { path in
            (filter?.bytes ?? []).withUnsafeBytes { instructions in
                streams.withUnsafeBufferPointer { streams in
                    spawn.path = path
                    spawn.arguments = UnsafePointer(arguments)
                    spawn.environment = UnsafePointer(environment)
                    spawn.filter = filter == nil ? nil : instructions.baseAddress
                    spawn.session = !streams.isEmpty
                    spawn.streams = streams.isEmpty ? nil : streams.baseAddress
                    spawn.stream_count = Int32(streams.count)
                    return linux_spawn(&spawn)
                }
            }
        }
        if pid < 0 { throw LaunchError(SystemError("start the command", code: errno)) }
        switch Int(spawn.failed) {
        case LINUX_SPAWN_FILTER:
            throw Confinement.refusal(SystemError("install the system call filter", code: spawn.code))
        case LINUX_SPAWN_EXECUTE: throw failure(spawn.code)
        default: return pid
        }
    }

    private func failure(_ code: Int32) -> LaunchError {
        switch code {
        case ENOENT, ENOTDIR: PreparedCommand.notFound(name)
        case EACCES: PreparedCommand.notExecutable(name)
        case ENOEXEC:
            LaunchError("\(name): no format that the kernel can execute", mend: "a script begins with #!", status: 126)
        default: LaunchError("\(name): \(String(cString: strerror(code)))", status: 126)
        }
    }

    /// Checks before the system call filter is on: what follows can then report nothing any more.
    private static func find(_ name: String, _ environment: [String]) throws(LaunchError) -> String {
        var candidates = [name]
        if !name.contains("/") {
            let path = environment.first { environmentName($0) == "PATH" }.map(environmentValue)
            candidates = (path ?? "/usr/local/bin:/usr/bin:/bin").utf8.split(
                separator: UInt8(ascii: ":"), omittingEmptySubsequences: false
            ).map { $0.isEmpty ? "./\(name)" : "\(Substring($0))/\(name)" }
        }
        var denied = false
        for candidate in candidates {
            if faccessat(AT_FDCWD, candidate, X_OK, AT_EACCESS) == 0 {
                if FileStatus(path: candidate)?.kind != .directory { return candidate }
                denied = true
            } else if errno == EACCES {
                denied = true
            }
        }
        throw denied ? notExecutable(name) : notFound(name)
    }

    private static func notFound(_ name: String) -> LaunchError {
        let place = name.contains("/") ? "no such file in the box" : "not found in the box's PATH"
        return LaunchError("\(name): \(place)", status: 127)
    }

    private static func notExecutable(_ name: String) -> LaunchError {
        LaunchError("\(name): not executable", mend: "check its permissions and the mount's noexec", status: 126)
    }
}
