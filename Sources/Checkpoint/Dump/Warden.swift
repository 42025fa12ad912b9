import CLinux
import Glibc
import Kernel
import Launch

/// A process that lets the box go on when the one that saves it is killed. It never ends CRIU, which may be in the middle
/// of a process's memory: it waits for that.
struct Warden: ~Copyable {
    private let word: Descriptor
    private let process: Int32

    /// - Parameter service: CRIU's process.
    /// - Parameter foreign: descriptors that it must not hold.
    /// - Parameter undo: what it does when this process ends without a word.
    init(_ service: Int32, foreign: [Int32], undo: () -> Void) throws(SystemError) {
        let pipe = try makePipe("start a process that watches over the application")
        process = try startChild(in: []) {
            setsid()
            for number in foreign + [pipe.write] { close(number) }
            let held = linux_pidfd_open(service, 0)
            var byte: UInt8 = 0
            while true {
                let count = read(pipe.read, &byte, 1)
                if count == 1 { _exit(0) }
                if count == 0 || errno != EINTR { break }
            }
            var wait = pollfd(fd: held, events: Int16(POLLIN), revents: 0)
            while held >= 0, poll(&wait, 1, -1) < 0, errno == EINTR {}
            undo()
            _exit(0)
        }
        close(pipe.read)
        word = Descriptor(pipe.write)
    }

    /// The application's fate is settled: it is not needed any more.
    consuming func dismiss() throws(SystemError) {
        var byte: UInt8 = 0
        _ = write(word.number, &byte, 1)
        _ = try waitForEnd(of: process)
    }
}
