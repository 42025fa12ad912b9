import CLinux
import Checkpoint
import Glibc
import Kernel

/// A process that carries CRIU's conversation about pages between CRIU and the other host, and passes on what that says
/// beside it.
struct PageRelay {
    /// To CRIU; -1 when that has ended.
    private var own: Int32
    private let input: Int32
    private let output: Int32
    private let words: Int32
    private let arrived: () -> Void
    /// What CRIU has not taken yet.
    private var pending: [UInt8] = []
    /// Whether the other host has said all.
    private var isOver = false
    private var isConnected = true

    /// - Parameter own: the end of CRIU's socket.
    /// - Parameter input: where the other host reads.
    /// - Parameter output: what it says.
    /// - Parameter words: gets a line for each of its words: when it came, in microseconds of the monotonic clock, and
    ///   the word. When nobody reads there any more CRIU is let go.
    /// - Parameter kept: what else stays open.
    /// - Parameter arrived: called when the sandbox has begun to run there.
    static func run(
        _ own: Int32, to input: Int32, from output: Int32, words: Int32, keeping kept: [Int32],
        arrived: @escaping () -> Void
    ) -> Never {
        signal(SIGPIPE, SIG_IGN)
        // No signal of a terminal is to cut the conversation off.
        setsid()
        closeDescriptors(keeping: [own, input, output, words, 2] + kept)
        var relay = PageRelay(own: own, input: input, output: output, words: words, arrived: arrived)
        while !relay.isOver || relay.own >= 0 { relay.step() }
        _exit(0)
    }

    private init(own: Int32, input: Int32, output: Int32, words: Int32, arrived: @escaping () -> Void) {
        (self.own, self.input, self.output, self.words) = (own, input, output, words)
        self.arrived = arrived
    }

    private mutating func step() {
        let wanted = Int16(POLLIN) | (pending.isEmpty ? 0 : Int16(POLLOUT))
        var waits = [
            pollfd(fd: own, events: wanted, revents: 0),
            pollfd(fd: isOver ? -1 : output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isOver ? -1 : words, events: 0, revents: 0),
        ]
        if poll(&waits, nfds_t(waits.count), -1) < 0, errno != EINTR { _exit(1) }
        if waits[2].revents != 0 { giveUp() }
        if waits[1].revents != 0 { hear() }
        if waits[0].revents & Int16(POLLOUT) != 0 { flush() }
        if waits[0].revents & ~Int16(POLLOUT) != 0 { carry() }
    }

    /// From CRIU to the other host. What that does not take any more is dropped: CRIU is not to fail for it, for then it
    /// would let the processes go on itself.
    private mutating func carry() {
        var bytes = [UInt8](repeating: 0, count: PageFrame.limit)
        let count = read(own, &bytes, bytes.count)
        if count < 0, errno == EINTR { return }
        if count <= 0 {
            close(own)
            own = -1
            pass(.end)
            return
        }
        var filled = count
        // It comes page by page; what is there already goes in one frame.
        while filled < bytes.count {
            let more = bytes.withUnsafeMutableBytes {
                recv(own, $0.baseAddress?.advanced(by: filled), $0.count - filled, Int32(MSG_DONTWAIT))
            }
            if more <= 0 { break }
            filled += more
        }
        bytes.removeLast(bytes.count - filled)
        pass(.pages(bytes))
    }

    private mutating func pass(_ frame: PageFrame) {
        guard isConnected else { return }
        do throws(SystemError) { try frame.write(to: input) } catch { isConnected = false }
    }

    private mutating func hear() {
        do throws(SystemError) {
            switch try PageFrame.read(from: output) {
            case .pages(let bytes):
                pending += bytes
                flush()
            case .word(let word):
                let line = "\(monotonicMicroseconds()) \(word)\n"
                _ = write(words, line, line.utf8.count)
                if word == RemoteHost.Word.restored.rawValue { arrived() }
                if word == PageSource.whole { isOver = true }
                if word.hasPrefix(RemoteHost.Word.failed.rawValue) { finish() }
            case .end: break
            case nil: finish()
            }
        } catch {
            finish()
        }
    }

    private mutating func flush() {
        while own >= 0, !pending.isEmpty {
            let count = pending.withUnsafeBytes {
                send(own, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            if count < 0 {
                pending = []
                return
            }
            pending.removeFirst(count)
        }
        pending = own < 0 ? [] : pending
    }

    /// Nobody is left here who could let it stay there: it is to end there before it goes on here.
    private mutating func giveUp() {
        pass(.end)
        isConnected = false
        finish()
    }

    /// Nobody asks for pages any more.
    private mutating func finish() {
        isOver = true
        if own >= 0 { shutdown(own, Int32(SHUT_WR)) }
    }
}
