import CLinux
import Glibc
import Kernel

/// A process that stays beside a box until that has ended, and then does what the kernel does not do by itself. Nobody
/// waits for it: it belongs to process 1.
struct Guardian {
    /// Whose end is the box's.
    private let box: BoxReference
    /// Descriptors that it needs.
    private let kept: [Int32]

    init(_ box: BoxReference, kept: [Int32]) { (self.box, self.kept) = (box, kept) }

    /// Starts it and waits until it has begun.
    ///
    /// - Parameter begin: what it does at once. Returns a descriptor to read until its end, lest its writer be held up;
    ///   -1 for none.
    /// - Parameter meanwhile: what it does from then on, again and again. Returns the milliseconds until the next time;
    ///   -1 for never.
    /// - Parameter end: what it does when the box has ended.
    func start(
        _ begin: () throws(SwitchError) -> Int32, meanwhile: () -> Int32 = { -1 }, atEnd end: () -> Void
    ) throws(SwitchError) {
        let said = try attributed { () throws(SystemError) in
            guard let box = try ProcessHandle(try box.process()) else {
                throw SystemError("look at process \(box.pid)", code: ESRCH)
            }
            let pipe = try makePipe("start a process beside the box")
            let between = try startChild(in: []) {
                // Its parent ends at once, so that it is nobody's child.
                if linux_clone3(0, nil, -1) == 0 { stay(box, pipe.write, begin, meanwhile, end) }
                _exit(0)
            }
            close(pipe.write)
            defer { close(pipe.read) }
            _ = try waitForEnd(of: between)
            return try readText(pipe.read, name: "the process beside the box")
        }
        if said == Guardian.ready { return }
        if said.isEmpty { throw SwitchError("the process that was to stay beside the box was killed") }
        let parts = said.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        throw SwitchError(key: parts[0].isEmpty ? nil : parts[0], parts.count > 1 ? parts[1] : said)
    }

    private static let ready = "ready"

    private func stay(
        _ box: borrowing ProcessHandle, _ answer: Int32, _ begin: () throws(SwitchError) -> Int32,
        _ meanwhile: () -> Int32, _ end: () -> Void
    ) -> Never {
        CrashPoint.enter("guardian")
        setsid()
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE] { signal(number, SIG_IGN) }
        closeDescriptors(keeping: kept + [answer, box.descriptor.number])
        for number in 0...2 as ClosedRange<Int32> where linux_open("/dev/null", O_RDWR, 0) != number { break }
        let noise: Int32
        do throws(SwitchError) {
            noise = try begin()
        } catch {
            say("\(error.key ?? "")\n\(error.text)", answer)
            _exit(1)
        }
        say(Guardian.ready, answer)
        close(answer)
        wait(box, noise, meanwhile)
        end()
        _exit(0)
    }

    private func say(_ text: String, _ answer: Int32) {
        // Who asked is gone when this fails, and the box with it.
        _ = try? writeText(text, to: answer, name: "the launcher")
    }

    private func wait(_ box: borrowing ProcessHandle, _ noise: Int32, _ meanwhile: () -> Int32) {
        var waits = [
            pollfd(fd: box.descriptor.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: noise, events: Int16(POLLIN), revents: 0),
        ]
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            if poll(&waits, 2, meanwhile()) < 0 {
                if errno == EINTR { continue }
                return
            }
            if waits[0].revents != 0 { return }
            if waits[1].revents != 0, read(noise, &bytes, bytes.count) <= 0 { waits[1].fd = -1 }
        }
    }
}
