import CLinux
import Glibc
import Kernel
import Launch
import SandboxKit

/// A viewer beside a sandbox: it ends with the sandbox, and comes back when the sandbox does.
struct ViewSession {
    let sandbox: Sandbox
    let viewer: any DisplayViewer

    /// Until the viewer has ended, or the sandbox for good.
    /// - Returns: the viewer's exit status, 0 where the sandbox ended first.
    func run() throws -> Int32 {
        var isFirst = true
        while true {
            let display = try sandbox.display()
            let pid = try viewer.start(display.socket.number)
            if isFirst { try viewer.started() }
            isFirst = false
            let handle = Descriptor(try check("hold the viewer") { linux_pidfd_open(pid, 0) })
            // A viewer may see the end before we do.
            if try hasEnded(handle.number, before: display.application.descriptor.number) {
                let status = try waitForEnd(of: pid)
                // A box whose server has gone is about to end, however long that takes on a busy machine.
                let patience = isServing(display.socket.number) ? 500 : 10_000
                guard try display.application.waitForEnd(milliseconds: patience) else { return status.exitStatus }
            } else {
                kill(pid, SIGTERM)
                _ = try waitForEnd(of: pid)
            }
            guard try comesBack(after: display.identity) else { return 0 }
        }
    }

    /// Whether the display's server takes viewers still.
    private func isServing(_ display: Int32) -> Bool {
        let connection = Descriptor(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        return linux_unix_connect(connection.number, "/proc/self/fd/\(display)") == 0
    }

    /// Waits for the end of either.
    private func hasEnded(_ viewer: Int32, before application: Int32) throws(SystemError) -> Bool {
        var waits = [
            pollfd(fd: viewer, events: Int16(POLLIN), revents: 0),
            pollfd(fd: application, events: Int16(POLLIN), revents: 0),
        ]
        try check("wait for the viewer") { poll(&waits, 2, -1) }
        return waits[0].revents != 0
    }

    /// Waits while the sandbox is saved or begins again; false when it has ended for good.
    /// - Parameter application: what has ended.
    private func comesBack(after application: ProcessIdentity) throws -> Bool {
        var isTold = false
        while true {
            // Of one that leaves no record there is nothing to be known.
            guard let record = try sandbox.registry.settle(sandbox.name) else { return false }
            switch record.phase {
            case .running: if record.application != application { return true }
            case .created: break
            case .checkpointed:
                if !isTold { Output.note("\"\(sandbox.name)\" is saved; the view waits for its return") }
                isTold = true
            case .stopped: return false
            }
            usleep(100_000)
        }
    }
}
