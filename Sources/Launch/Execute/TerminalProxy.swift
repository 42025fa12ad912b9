import CLinux
import Glibc
import Kernel

/// Carries bytes between the caller's terminal and the box's pseudo-terminal.
struct TerminalProxy {
    private let controller: Int32
    private let modes: TerminalModes?
    /// Descriptors to wait on, -1 when there is nothing more to come.
    private(set) var input: Int32 = STDIN_FILENO
    private(set) var output: Int32

    init(controller: Int32) {
        self.controller = controller
        output = controller
        modes = TerminalModes(of: STDIN_FILENO)
        modes?.makeRaw()
        resize()
    }

    /// Gives the box the caller's window size.
    func resize() {
        Terminal.copySize(from: modes == nil ? STDOUT_FILENO : STDIN_FILENO, to: controller)
    }

    mutating func passInput() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count > 0 { return TerminalProxy.writeAll(controller, buffer[..<count]) }
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        // The end of a file or pipe: what a person would type for it.
        TerminalProxy.writeAll(controller, [0x04])
        input = -1
    }

    mutating func passOutput() {
        var buffer = [UInt8](repeating: 0, count: 16384)
        let count = read(controller, &buffer, buffer.count)
        if count > 0 { return TerminalProxy.writeAll(STDOUT_FILENO, buffer[..<count]) }
        // EIO: nobody has the terminal open (any more).
        if count == 0 || (errno != EINTR && errno != EAGAIN) { output = -1 }
    }

    /// Passes on what is left when the command has ended.
    mutating func drain() {
        _ = linux_fcntl(controller, F_SETFL, O_NONBLOCK)
        while output >= 0 {
            var wait = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, 0) > 0, wait.revents & Int16(POLLIN) != 0 else { return }
            passOutput()
        }
    }

    func suspend() { modes?.restore() }

    func resume() {
        modes?.makeRaw()
        resize()
    }

    func finish() { modes?.restore() }

    private static func writeAll(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return
            }
        }
    }
}
