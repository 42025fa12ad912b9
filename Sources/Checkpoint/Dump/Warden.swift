import CLinux
import Glibc
import Kernel
import Launch

/// A process that decides about the box when the one that saves it is killed. It never ends CRIU, which may be in the
/// middle of a process's memory: it waits for that.
struct Warden: ~Copyable {
    private let word: Descriptor
    private let process: Int32

    /// What this process tells it.
    private enum Word: UInt8 {
        /// The application goes on already.
        case goesOn = 1
        /// The application's fate is settled.
        case dismissed
    }

    /// - Parameter service: CRIU's process.
    /// - Parameter foreign: descriptors that it must not hold.
    /// - Parameter decide: what it does when this process ends without a word; told whether the box goes on already.
    init(_ service: Int32, foreign: [Int32], decide: (_ goesOn: Bool) -> Void) throws(SystemError) {
        let pipe = try makePipe("start a process that watches over the application")
        process = try startChild(in: []) {
            CrashPoint.enter("warden")
            setsid()
            for number in foreign + [pipe.write] { close(number) }
            let held = linux_pidfd_open(service, 0)
            CrashPoint.pass("watch")
            let goesOn = Warden.listen(pipe.read)
            var wait = pollfd(fd: held, events: Int16(POLLIN), revents: 0)
            while held >= 0, poll(&wait, 1, -1) < 0, errno == EINTR {}
            decide(goesOn)
            _exit(0)
        }
        close(pipe.read)
        word = Descriptor(pipe.write)
    }

    /// Does not return when it is dismissed.
    /// - Returns: once the other end is gone, whether the box goes on.
    private static func listen(_ descriptor: Int32) -> Bool {
        var goesOn = false
        while true {
            var byte: UInt8 = 0
            let count = read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return goesOn }
            if byte == Word.dismissed.rawValue { _exit(0) }
            goesOn = true
        }
    }

    /// The box goes on; what there is of a snapshot is all that is unsettled.
    func note() { say(.goesOn) }

    /// The application's fate is settled: it is not needed any more.
    consuming func dismiss() throws(SystemError) {
        say(.dismissed)
        _ = try waitForEnd(of: process)
    }

    private func say(_ what: Word) {
        var byte = what.rawValue
        // One that has been killed hears nothing, and SIGPIPE would end this process before it has settled the rest.
        let before = signal(SIGPIPE, SIG_IGN)
        _ = write(word.number, &byte, 1)
        signal(SIGPIPE, before)
    }
}
