import CLinux
import Glibc
import Kernel

extension Launcher {
    /// Waits for a command that this process did not launch but is the parent of, a restored one, as the waiter of a
    /// launched one does.
    /// - Parameter remains: as ``LaunchContext/remains``; then nothing returns.
    /// - Returns: the exit status, or 128 + N for signal N.
    public static func wait(
        for child: Int32, _ remains: Remains?, _ relay: OutputRelay? = nil
    ) throws(LaunchError) -> Int32 {
        let executable = remains == nil ? -1 : linux_open("/proc/self/exe", O_PATH | O_CLOEXEC, 0)
        let channel = try attributed(to: nil) { () throws(SystemError) in try ReportChannel() }
        channel.keepWaiterSide()
        let signals = try attributed(to: nil) { () throws(SystemError) in try ForwardedSignals() }
        // It may have ended before its end could be heard of.
        kill(getpid(), SIGCHLD)
        var watch = Watch(adopting: child, channel: channel, signals: signals.descriptor.number)
        if let relay { watch.keep(relay) }
        if let remains, executable >= 0 { watch.shrink(remains, executable) }
        return watch.untilEnd()
    }
}

extension Watch {
    /// The waiter of a command that has begun already.
    fileprivate init(adopting child: Int32, channel: ReportChannel, signals: Int32) {
        self.init(child: child, channel: channel, signals: signals)
        begun()
    }
}
