import CLinux
import Glibc
import Kernel
import SandboxKit

/// The screen of `sandbox top` from the first drawing until the terminal is given back.
struct TopScreen {
    private var series: StatisticsSeries
    private var layout: TopLayout
    private let modes: TerminalModes
    private var screen = ScreenModes()
    /// When to measure again, in milliseconds of CLOCK_MONOTONIC.
    private var due = 0
    private var isEntered = false

    /// The alternate screen, without a cursor, and nothing wrapped.
    private static let entering = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l"

    init(_ series: StatisticsSeries, _ layout: TopLayout, _ modes: TerminalModes) {
        self.series = series
        self.layout = layout
        self.modes = modes
    }

    /// Whether there is a terminal on both sides that can move its cursor.
    static var isPossible: Bool {
        let term = environmentVariable("TERM") ?? ""
        return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && !term.isEmpty && term != "dumb"
    }

    /// Stays until somebody quits, or a signal ends this process once the terminal is as it was.
    mutating func run() throws {
        // What cannot be read comes before anything is changed.
        try measure()
        // Rates need a second measurement, which is not long to be waited for.
        due = min(due, milliseconds() + 300)
        let signals = try ForwardedSignals()
        let ending: Int32?
        do {
            try enter()
            ending = try loop(signals.descriptor.number)
        } catch {
            leave()
            throw error
        }
        leave()
        signals.restore()
        if let ending { end(by: ending) }
    }

    private mutating func enter() throws(SystemError) {
        let isAgain = isEntered
        isEntered = true
        try modes.makeRaw()
        if !isAgain {
            screen.observe(Array(TopScreen.entering.utf8))
            try Output.write(TopScreen.entering)
        }
        try draw()
    }

    /// Gives the terminal back as it was; nobody is left to be told where it is gone.
    private mutating func leave() {
        if !isEntered { return }
        isEntered = false
        do throws(SystemError) { try Output.write(screen.undoing) } catch { Output.error(error.message) }
        do throws(SystemError) { try modes.restore() } catch { Output.error(error.message) }
    }

    // MARK: - The loop

    /// - Returns: a signal to end by; `nil` when somebody quits.
    private mutating func loop(_ signals: Int32) throws -> Int32? {
        while true {
            var waits = [
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            ]
            let rest = Int32(clamping: max(0, due - milliseconds()))
            try check("wait for keys") { poll(&waits, 2, rest) }
            if waits[0].revents != 0, let signal = try answerSignals(signals) { return signal }
            if waits[1].revents != 0, try readKeys() { return nil }
            if milliseconds() >= due {
                try measure()
                try draw()
            }
        }
    }

    private mutating func measure() throws {
        (layout.samples, layout.damaged) = try series.next()
        due = milliseconds() + layout.interval.milliseconds
    }

    private mutating func draw() throws(SystemError) {
        let size = TopScreen.size
        layout.offset = min(max(0, layout.offset), layout.lastOffset(size))
        var text = ""
        for (index, line) in layout.lines(size, style: .output).enumerated() {
            // Emptied first: after a full line the cursor still stands on its last character.
            text += "\u{1b}[\(index + 1);1H\u{1b}[K" + line
        }
        try Output.write(text + "\u{1b}[J")
    }

    /// A terminal that does not know its size is taken for the usual one.
    private static var size: TopLayout.Size {
        let size = Terminal.size(of: STDOUT_FILENO) ?? (0, 0)
        return TopLayout.Size(
            rows: size.rows > 0 ? Int(size.rows) : 24, columns: size.columns > 0 ? Int(size.columns) : 80)
    }

    private func milliseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec) * 1000 + Int(time.tv_nsec) / 1_000_000
    }

    // MARK: - Keys

    /// - Returns: whether to quit.
    private mutating func readKeys() throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return false }
        // The terminal is gone.
        if count <= 0 { return true }
        for key in TopKey.keys(Array(bytes[..<count])) {
            if key == .quit { return true }
            // Comes back as a signal, to all that the shell started together.
            if key == .stop { kill(0, SIGTSTP) }
            answer(key)
        }
        try draw()
        return false
    }

    private mutating func answer(_ key: TopKey) {
        if layout.showsHelp {
            layout.showsHelp = false
            return
        }
        let size = TopScreen.size
        switch key {
        case .help: layout.showsHelp = true
        case .sort(let column): layout.order.choose(column)
        case .reverse: layout.order.isReversed.toggle()
        case .longer: change(to: layout.interval.longer)
        case .shorter: change(to: layout.interval.shorter)
        case .scroll(let rows): layout.offset += rows
        case .page(let screens): layout.offset += screens * TopLayout.capacity(size)
        case .first: layout.offset = 0
        case .last: layout.offset = layout.lastOffset(size)
        case .quit, .stop, .redraw, .other: break
        }
        layout.offset = min(max(0, layout.offset), layout.lastOffset(size))
    }

    private mutating func change(to interval: Interval) {
        due += interval.milliseconds - layout.interval.milliseconds
        layout.interval = interval
    }

    // MARK: - Signals

    /// - Returns: a signal to end by.
    private mutating func answerSignals(_ signals: Int32) throws -> Int32? {
        while let signal = nextSignal(signals) {
            switch signal {
            case SIGWINCH: try draw()
            case SIGTSTP:
                leave()
                stop()
                try enter()
            case SIGCONT: try enter()
            case SIGCHLD, SIGURG: break
            default: if !isIgnored(signal) { return signal }
            }
        }
        return nil
    }

    /// Stops as any program does: not at all where no shell could let it go on.
    private func stop() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTSTP)
        sigprocmask(SIG_UNBLOCK, &set, nil)
        raise(SIGTSTP)
        sigprocmask(SIG_BLOCK, &set, nil)
    }
}
