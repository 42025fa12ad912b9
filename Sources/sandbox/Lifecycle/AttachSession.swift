import CLinux
import Glibc
import Kernel
import Launch
import SandboxKit

/// One's own terminal, or pipes, joined to a sandbox's terminal.
struct AttachSession: ~Copyable {
    private let name: String
    private let isReadOnly: Bool
    private let key: DetachKey
    /// The terminal on standard input; `nil` where it is none.
    private let modes: TerminalModes?
    private var attachment: Attachment
    private var screen = ScreenModes()
    /// Input that was not taken yet, and whether more can come.
    private var input: [UInt8] = []
    private var isInputOpen: Bool

    private static let inputLimit = 65536

    private enum Ending {
        case command(Int32?)
        case detached
        case signal(Int32)
    }

    init(_ name: String, of registry: Registry, readOnly: Bool, key: DetachKey) throws(LaunchError) {
        let modes = TerminalModes(of: STDIN_FILENO)
        let size = AttachSession.size
        let attachment = try Sandbox.attach(
            to: name, in: registry, types: !readOnly, rows: size.rows, columns: size.columns)
        self.name = name
        self.isReadOnly = readOnly
        self.key = key
        self.modes = modes
        self.attachment = attachment
        // Who only looks on types nothing but the key to leave.
        isInputOpen = modes != nil || !readOnly
    }

    private static var size: (rows: UInt16, columns: UInt16) {
        Terminal.size(of: STDIN_FILENO) ?? Terminal.size(of: STDOUT_FILENO) ?? (0, 0)
    }

    /// Stays until the command has ended, the detach key was typed, or a signal came.
    /// - Returns: the exit status.
    mutating func run() throws -> Int32 {
        // What refuses us comes before anything is changed.
        var first = try awaitGreeting()
        let signals = try ForwardedSignals()
        if modes != nil, isatty(STDERR_FILENO) == 1 { announce() }
        let ending: Ending
        do {
            try modes?.makeRaw()
            ending = try loop(signals.descriptor.number, &first)
        } catch {
            leave()
            throw error
        }
        leave()
        return try conclude(ending, signals)
    }

    private func announce() {
        let how = key.byte == nil ? "no key detaches" : "\(key.name) detaches"
        Output.note("attached to \(name)\(isReadOnly ? ", read-only" : ""); \(how)")
    }

    /// Gives the terminal back as it was.
    private func leave() {
        do throws(SystemError) {
            if isatty(STDOUT_FILENO) == 1 { try Output.write(screen.undoing) }
        } catch {
            Output.error(error.message)
        }
        do throws(SystemError) {
            try modes?.restore()
        } catch {
            Output.error(error.message)
        }
    }

    private func conclude(_ ending: Ending, _ signals: borrowing ForwardedSignals) throws -> Int32 {
        switch ending {
        case .command(let status?): return status
        case .command(nil): throw LaunchError("how \"\(name)\" ended is not known", mend: "see 'sandbox ps -a'")
        case .detached:
            if isatty(STDERR_FILENO) == 1 { Output.note("detached from \(name)") }
            return ExitStatus.success
        case .signal(let signal):
            signals.restore()
            end(by: signal)
            return 128 + signal
        }
    }

    // MARK: - The loop

    private mutating func awaitGreeting() throws -> Attachment.Event? {
        var waits = [pollfd(fd: attachment.descriptor, events: Int16(POLLIN), revents: 0)]
        if try check("wait for \(name)", { poll(&waits, 1, 2000) }) == 0 {
            Output.note("\(name) does not answer yet; is it paused?")
            try check("wait for \(name)") { poll(&waits, 1, -1) }
        }
        return try attachment.next()
    }

    private mutating func loop(_ signals: Int32, _ first: inout Attachment.Event?) throws -> Ending {
        while true {
            var hasMore = true
            // Not without end: keys are to be heard in between.
            for _ in 0..<16 {
                guard let event = try first ?? attachment.next() else {
                    hasMore = false
                    break
                }
                first = nil
                if let status = try show(event) { return .command(status) }
            }
            try sendInput()
            var waits = [
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: attachment.descriptor, events: Int16(input.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0),
                pollfd(fd: takesInput ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
            ]
            try check("wait for \(name)") { poll(&waits, 3, hasMore ? 0 : -1) }
            if waits[0].revents != 0, let signal = try answerSignals(signals) { return .signal(signal) }
            if waits[2].revents != 0, try readInput() {
                try flushInput()
                return .detached
            }
        }
    }

    private var takesInput: Bool { isInputOpen && input.count < AttachSession.inputLimit }

    /// - Returns: how the command ended, once it has.
    private mutating func show(_ event: Attachment.Event) throws -> Int32?? {
        switch event {
        case .output(let bytes):
            screen.observe(bytes)
            do throws(SystemError) {
                try Output.write(bytes)
            } catch {
                // The signal that comes with it ends us.
                if error.code != EPIPE { throw error }
            }
            return nil
        case .lost:
            Output.note("some output was overwritten before it could be shown\r")
            return nil
        case .ended(let status): return .some(status)
        }
    }

    // MARK: - Input

    /// - Returns: whether the detach key was typed.
    private mutating func readInput() throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return false }
        guard count > 0 else {
            isInputOpen = false
            return false
        }
        let typed = bytes[..<count]
        guard modes != nil else {
            input += typed
            return false
        }
        let end = typed.firstIndex { $0 == key.byte || (isReadOnly && $0 == 3) }
        if !isReadOnly { input += typed[..<(end ?? count)] }
        return end != nil
    }

    private mutating func sendInput() throws {
        while !input.isEmpty {
            let count = try attachment.send(input[...])
            if count == 0 { return }
            input.removeFirst(count)
        }
    }

    /// What was typed before the detach key still counts, if it is taken within a second.
    private mutating func flushInput() throws {
        try sendInput()
        if input.isEmpty { return }
        var waits = [pollfd(fd: attachment.descriptor, events: Int16(POLLOUT), revents: 0)]
        try check("wait for \(name)") { poll(&waits, 1, 1000) }
        try sendInput()
    }

    // MARK: - Signals

    /// - Returns: a signal to end by.
    private func answerSignals(_ signals: Int32) throws -> Int32? {
        while let signal = nextSignal(signals) {
            switch signal {
            case SIGWINCH: try tellSize()
            case SIGCONT:
                try modes?.makeRaw()
                try tellSize()
            case SIGTSTP:
                try modes?.restore()
                raise(SIGSTOP)
            case SIGCHLD, SIGURG: break
            default: if !isIgnored(signal) { return signal }
            }
        }
        return nil
    }

    private func tellSize() throws {
        let size = AttachSession.size
        try attachment.resize(rows: size.rows, columns: size.columns)
    }
}
