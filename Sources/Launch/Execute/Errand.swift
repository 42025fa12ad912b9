import Addresses
import CLinux
import Glibc
import Kernel

/// What a process has done for it outside the namespaces that it enters itself: a child stays there, and gets the new
/// network namespace.
struct Errand: ~Copyable {
    private let channel: ReportChannel
    private let child: Int32

    /// Starts the child, which waits.
    init(_ body: LaunchContext.Attach) throws(LaunchError) {
        let channel = try attributed(to: nil) { () throws(SystemError) in try ReportChannel() }
        let asker = getpid()
        child = try attributed(to: nil) { () throws(SystemError) in
            try startChild(in: []) { Errand.serve(channel, asker, body) }
        }
        channel.keepWaiterSide()
        self.channel = channel
    }

    private static func serve(
        _ channel: ReportChannel, _ asker: Int32, _ body: LaunchContext.Attach
    ) -> Never {
        CrashPoint.enter("errand")
        channel.keepBoxSide()
        _ = linux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0)
        if getppid() != asker { _exit(1) }
        _ = channel.waitForGo()
        do throws(LaunchError) {
            let namespace = try attributed(to: "network") { () throws(SystemError) in
                try Descriptor(open: "/proc/\(asker)/ns/net", O_RDONLY)
            }
            channel.send(.attached(nameServers: try body(namespace.number, asker)))
        } catch {
            channel.send(.failed(error))
        }
        _exit(0)
    }

    /// Lets the child do it, and waits until it has.
    /// - Returns: what its body returned.
    consuming func run() throws(LaunchError) -> [IPAddress] {
        let report = try attributed(to: nil) { () throws(SystemError) in
            try channel.go()
            let report = try channel.receive()
            _ = try waitForEnd(of: child)
            return report
        }
        close(channel.waiter)
        switch report {
        case .attached(let nameServers): return nameServers
        case .failed(let error): throw error
        default: throw LaunchError("the process that was to make the box's interfaces was killed")
        }
    }
}
