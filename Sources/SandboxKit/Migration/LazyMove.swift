import CLinux
import Checkpoint
import Glibc
import Kernel
import Launch
import Switching

/// What is left here of a sandbox that goes on elsewhere before its memory is there: its processes, which stand still
/// until the last page was asked for and the other host has said so. Then the other host is told to keep it, and only
/// then does it end here.
final class LazyMove {
    /// Where the sandbox may run.
    private enum Place: UInt8 {
        case here
        /// It may have gone on there, and can go on here.
        case leaving
        /// The other host has been told to keep it.
        case gone
    }

    private let remote: RemoteHost
    private let name: String
    private let send: (_ id: String) throws(LaunchError) -> Void
    /// Whether neighbours are to find its addresses here.
    private let hold: @Sendable (_ isHere: Bool) -> Void
    /// Pauses it, which may run there.
    private let park: @Sendable () throws(LaunchError) -> Void
    /// What they have sent meanwhile.
    private let frames: WaitingFrames?
    /// CRIU's end of the conversation about pages, and ours.
    private let pages: (engine: Int32, own: Int32)
    /// Seen by the process that watches over this one, too.
    private let place: SharedByte
    /// The process that carries pages, and what it tells.
    private var relay: Int32 = 0
    private var words: Int32 = -1
    private var said: [UInt8] = []
    /// When it came to stand still, in microseconds of the monotonic clock.
    private var begun = 0
    /// For how many microseconds it stood still.
    private(set) var pause = 0
    /// Whether there is a snapshot without memory.
    private(set) var isHanded = false

    /// Whether the sandbox goes on here and may have run there.
    var isBack: Bool { place.value == Place.leaving.rawValue }

    /// - Parameter send: sends a snapshot to the other host.
    /// - Parameter frames: what comes for it while it stands still, which is given to where it runs.
    /// - Parameter hold: lets go of its addresses, or holds them again, in whatever process.
    /// - Parameter park: pauses it here, in whatever process, since it may run there.
    init(
        _ name: String, to remote: RemoteHost, _ frames: WaitingFrames?,
        hold: @escaping @Sendable (_ isHere: Bool) -> Void,
        park: @escaping @Sendable () throws(LaunchError) -> Void,
        _ send: @escaping (_ id: String) throws(LaunchError) -> Void
    ) throws(LaunchError) {
        (self.name, self.remote, self.frames) = (name, remote, frames)
        (self.hold, self.park, self.send) = (hold, park, send)
        do throws(SystemError) {
            place = try SharedByte()
            var ends: [Int32] = [0, 0]
            let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            try check("make a socket pair") { socketpair(AF_UNIX, type, 0, &ends) }
            pages = (ends[0], ends[1])
        } catch {
            throw LaunchError(error)
        }
    }

    func prepare(_ dump: inout Dump) {
        let (place, hold, park) = (place, hold, park)
        dump.pages = pages
        dump.isBehind = {
            // When this process was killed, nobody is left to tell.
            if place.value == Place.gone.rawValue { try? park() }
            if place.value == Place.leaving.rawValue { hold(true) }
            return place.value != Place.here.rawValue
        }
    }

    /// Hands the snapshot, which has no memory, to the other host, and begins to carry pages.
    /// - Parameter frozen: for how many microseconds it has stood still.
    func hand(_ id: String, frozen: Int) throws(LaunchError) {
        isHanded = true
        begun = monotonicMicroseconds() - frozen
        try startRelay()
        place.value = Place.leaving.rawValue
        do throws(LaunchError) {
            try send(id)
        } catch {
            // It has not got all of the snapshot.
            place.value = Place.here.rawValue
            let reason = end()
            throw reason ?? error
        }
    }

    private func startRelay() throws(LaunchError) {
        let (own, input, output) = (pages.own, remote.input, remote.output)
        do throws(SystemError) {
            let pipe = try makePipe("carry pages")
            words = pipe.read
            let (hold, frames) = (hold, frames)
            relay = try startChild(in: []) {
                let kept = frames?.descriptors ?? []
                PageRelay.run(own, to: input, from: output, words: pipe.write, keeping: kept) {
                    hold(false)
                    frames?.pass()
                    frames?.end()
                }
            }
            close(pipe.write)
        } catch {
            close(own)
            throw LaunchError(error)
        }
        // Without it CRIU is not kept waiting.
        close(own)
    }

    /// Nobody asks for pages, and CRIU is not to wait for that.
    func abandon() { if relay == 0 { shutdown(pages.own, Int32(SHUT_WR)) } }

    /// Ends the conversation about pages, so that CRIU ends.
    /// - Returns: what the other host has said is wrong.
    private func end() -> LaunchError? {
        kill(relay, SIGKILL)
        while waitpid(relay, nil, 0) < 0, errno == EINTR {}
        relay = 0
        while let (_, word) = next() {
            if let text = failure(word) { return LaunchError("\(remote.host): \(text)") }
        }
        return nil
    }

    /// Once CRIU has ended: waits until all is there, and has the other host keep it.
    func finish() throws(LaunchError) {
        CrashPoint.pass("pages served")
        try awaitWhole()
        CrashPoint.pass("whole")
        do throws(LaunchError) { try remote.commit() } catch {
            throw LaunchError("\(error.message): \(LazyMove.ended)")
        }
        place.value = Place.gone.rawValue
        CrashPoint.pass("committed")
        do throws(LaunchError) { try remote.expect(.done) } catch {
            try park()
            throw LaunchError(
                "\(error.message): it runs there, or nowhere; here it is paused, as it was when it left",
                mend: "look there first; 'sandbox resume \(name)' lets it go on here, 'sandbox rm -f \(name)' ends it")
        }
    }

    private static let ended =
        "it was ended there, and goes on here as it was when it left; its connections with others are closed"

    private func awaitWhole() throws(LaunchError) {
        var isThere = false
        while let (time, word) = next() {
            if word == RemoteHost.Word.restored.rawValue {
                isThere = true
                pause = time - begun
            } else if word == PageSource.whole {
                if isThere { return }
            } else if let text = failure(word) {
                if isThere { throw LaunchError("\(remote.host): \(text): \(LazyMove.ended)") }
                place.value = Place.here.rawValue
                throw LaunchError("\(remote.host): \(text)")
            }
        }
        throw LaunchError(
            "\(remote.host): the connection has ended "
                + (isThere ? "before all memory was there: " : "when it was about to run there: ") + LazyMove.ended)
    }

    private func failure(_ word: String) -> String? {
        let failed = RemoteHost.Word.failed.rawValue + " "
        return word.hasPrefix(failed) ? String(word.dropFirst(failed.count)) : nil
    }

    /// The next word of the other host, and when it came; `nil` when no more can come.
    private func next() -> (time: Int, word: String)? {
        while true {
            if let end = said.firstIndex(of: 0x0a) {
                let line = String(decoding: said[..<end], as: UTF8.self)
                said.removeSubrange(...end)
                let parts = line.split(separator: " ", maxSplits: 1).map { String($0) }
                if parts.count == 2, let time = Int(parts[0]) { return (time, parts[1]) }
                continue
            }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = read(words, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return nil }
            said += bytes[..<count]
        }
    }

    deinit {
        if words >= 0 { close(words) }
        if relay > 0 { while waitpid(relay, nil, 0) < 0, errno == EINTR {} }
    }
}

/// A byte that processes see alike which come of this one.
private struct SharedByte: Sendable {
    private let address: UInt

    init() throws(SystemError) {
        let memory = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { throw SystemError("share memory", code: errno) }
        address = UInt(bitPattern: memory)
    }

    var value: UInt8 {
        get { UnsafePointer<UInt8>(bitPattern: address)?.pointee ?? 0 }
        nonmutating set { UnsafeMutablePointer<UInt8>(bitPattern: address)?.pointee = newValue }
    }
}
