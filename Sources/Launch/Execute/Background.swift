import CLinux
import Glibc
import Kernel

extension Launcher {
    /// Goes on with `body` in a child in a session of its own, and returns once it has said that the command has begun.
    ///
    /// - Parameter body: gets whom to tell, and returns the exit status of the child.
    /// - Throws: what `body` threw before that.
    public static func inBackground(
        _ kept: KeptDescriptors, _ body: (Foreground) throws(LaunchError) -> Int32
    ) throws(LaunchError) {
        let channel = try attributed(to: nil) { () throws(SystemError) in try ReportChannel() }
        let child = try attributed(to: nil) { () throws(SystemError) in
            try startChild(in: []) { stay(channel, kept, body) }
        }
        channel.keepWaiterSide()
        defer { close(channel.waiter) }
        let report = try attributed(to: nil) { () throws(SystemError) in try channel.receive() }
        close(channel.begin.read)
        if case .begun = report { return }
        try attributed(to: nil) { () throws(SystemError) in _ = try waitForEnd(of: child) }
        if case .failed(let error) = report { throw error }
        throw LaunchError("the process that was to stay with the sandbox was killed")
    }

    private static func stay(
        _ channel: ReportChannel, _ kept: KeptDescriptors, _ body: (Foreground) throws(LaunchError) -> Int32
    ) -> Never {
        CrashPoint.enter("background")
        channel.keepBoxSide()
        close(channel.begin.write)
        setsid()
        for (number, source): (Int32, Int32) in [(0, kept.input), (1, kept.complaints), (2, kept.complaints)]
        where source >= 0 { dup2(source, number) }
        do throws(LaunchError) {
            _exit(try body(Foreground(channel: channel)))
        } catch {
            channel.send(.failed(error))
            _exit(error.status)
        }
    }
}

/// The launcher in the foreground, as the one in the background reaches it.
public struct Foreground {
    fileprivate let channel: ReportChannel

    /// The descriptor that this takes.
    public var descriptor: Int32 { channel.box }

    /// Lets it return.
    public func begun() {
        channel.send(.begun)
        close(channel.box)
        CrashPoint.pass("begun")
    }
}
