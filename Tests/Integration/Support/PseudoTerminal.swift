import CLinux
import Glibc

/// A terminal with a program on it, driven as a person at the keyboard would.
final class PseudoTerminal {
    private var control: Int32
    private let child: Child
    private var seen: [UInt8] = []
    private var read = 0

    init(_ arguments: [String], environment: [String: String], directory: String, rows: UInt16 = 24) throws {
        control = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard control >= 0, grantpt(control) == 0, unlockpt(control) == 0 else { throw Failure("make a terminal") }
        var name = [CChar](repeating: 0, count: 128)
        guard ptsname_r(control, &name, name.count) == 0 else { throw Failure("name a terminal") }
        let path = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Wide, lest an echoed line be broken; first, lest a shell draw its prompt anew.
        var size = winsize(ws_row: rows, ws_col: 500, ws_xpixel: 0, ws_ypixel: 0)
        _ = linux_ioctl_ptr(control, UInt(TIOCSWINSZ), &size)
        child = try Child.start(arguments, environment: environment, directory: directory, terminal: path)
    }

    deinit {
        child.end()
        if control >= 0 { close(control) }
    }

    /// Takes the terminal away from the program, as when its window is closed.
    func hangUp() {
        close(control)
        control = -1
    }

    /// The program's processes, its own first.
    var processes: [pid_t] { [child.pid] + Processes.children(of: child.pid) }

    func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = linux_ioctl_ptr(control, UInt(TIOCSWINSZ), &size)
    }

    /// The terminal's settings, in tcgetattr(3)'s words.
    var settings: [UInt] {
        var modes = termios()
        guard tcgetattr(control, &modes) == 0 else { return [] }
        return [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag].map { UInt($0) }
    }

    /// Whether what is typed is given to programs byte by byte, unseen and without signals.
    var isRaw: Bool { (settings.last ?? 0) & UInt(ICANON | ECHO | ISIG) == 0 }

    func type(_ text: String) {
        for byte in Array(text.utf8) {
            var byte = byte
            _ = write(control, &byte, 1)
        }
    }

    /// Reads on until `text` has come (after what was matched before); false when it has not within `timeout` seconds.
    func expect(_ text: String, timeout: Double = 8) -> Bool {
        let wanted = Array(text.utf8)
        let deadline = Clock.now + timeout
        while true {
            if let end = PseudoTerminal.find(wanted, in: seen[read...]) {
                read = end
                return true
            }
            guard fill(until: deadline) else { return false }
        }
    }

    /// All that came so far.
    var transcript: String { String(decoding: seen, as: UTF8.self) }

    /// Reads whatever comes within `seconds`.
    func settle(_ seconds: Double) {
        let deadline = Clock.now + seconds
        while fill(until: deadline) {}
    }

    func waitForEnd(timeout: Double = 8) -> Ending? {
        let deadline = Clock.now + timeout
        while Clock.now < deadline {
            if let ending = child.wait(timeout: 0) { return ending }
            _ = fill(until: Clock.now + 0.05)
        }
        return nil
    }

    private func fill(until deadline: Double) -> Bool {
        var event = pollfd(fd: control, events: Int16(POLLIN), revents: 0)
        guard poll(&event, 1, Int32(max(0, (deadline - Clock.now) * 1000))) > 0 else { return false }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(control, &buffer, buffer.count)
        guard count > 0 else { return false }
        seen.append(contentsOf: buffer[..<count])
        return true
    }

    /// Where `wanted` ends for the first time.
    private static func find(_ wanted: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { whole in
            guard let start = whole.baseAddress, let found = memmem(start, whole.count, wanted, wanted.count) else {
                return nil
            }
            return bytes.startIndex + (UnsafeRawPointer(found) - start) + wanted.count
        }
    }
}

/// An interactive bash on a terminal, with a plain prompt.
struct InteractiveShell {
    let terminal: PseudoTerminal

    init(in box: Box) throws {
        var environment = box.environment
        environment["PS1"] = "READY> "
        environment["INPUTRC"] = try box.write("inputrc", "set enable-bracketed-paste off\n")
        environment["PATH"] = Harness.folder + ":" + (environment["PATH"] ?? "")
        terminal = try PseudoTerminal(
            box.wrapped(["bash", "--norc", "--noprofile", "-i"]), environment: environment, directory: box.path)
        guard terminal.expect("READY> ") else { throw Failure(saying: "no prompt: \(terminal.transcript)") }
    }

    /// Types a command line.
    func enter(_ line: String) { terminal.type(line + "\n") }

    func prompt(timeout: Double = 8) -> Bool { terminal.expect("READY> ", timeout: timeout) }
}
