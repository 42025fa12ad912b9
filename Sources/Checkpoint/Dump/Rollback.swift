import CLinux
import Glibc
import Kernel
public import Launch
public import Switching

/// Lets a box go on that CRIU has stopped: its TCP sockets leave repair mode, its network is unlocked, its processes
/// continue.
public struct Rollback: Sendable {
    /// The box's first process.
    public let root: Int32
    /// A descriptor of its network namespace, where it has one of its own; -1 otherwise.
    public let network: Int32
    /// Those that stood still before.
    public let stopped: Set<Int32>

    /// Who waits for the first process outside: a waiter stops itself when that is stopped.
    public let waiter: Int32

    public init(root: Int32, network: Int32, waiter: Int32) throws(LaunchError) {
        (self.root, self.network, self.waiter) = (root, network, waiter)
        do throws(SystemError) {
            var stopped: Set<Int32> = []
            for pid in try processTree(of: root) where try state(of: pid) == "T" { stopped.insert(pid) }
            self.stopped = stopped
        } catch {
            throw LaunchError(error)
        }
    }

    /// Carries on past what fails, and tells of the first of it.
    /// - Parameter isBehind: whether its peers have gone on meanwhile with what ran elsewhere: its connections with
    ///   other hosts are ended.
    /// - Parameter unlocked: ended by the caller when time does not matter.
    /// - Returns: when the processes went on, in microseconds (monotonic).
    @discardableResult
    public func run(
        isBehind: Bool = false, _ unlocked: UnlockedNetwork = UnlockedNetwork()
    ) throws(LaunchError) -> Int {
        var failure: LaunchError?
        func attempt(_ body: () throws(LaunchError) -> Void) {
            do throws(LaunchError) { try body() } catch { failure = failure ?? error }
        }
        var processes = [root]
        attempt { () throws(LaunchError) in
            do throws(SystemError) { processes = try processTree(of: root) } catch { throw LaunchError(error) }
        }
        for pid in processes {
            attempt { () throws(LaunchError) in
                do throws(SystemError) { try endRepair(pid, isBehind: isBehind) } catch { throw LaunchError(error) }
            }
        }
        if network >= 0 {
            attempt { () throws(LaunchError) in
                do throws(SwitchError) { try unlocked.unlock(network) } catch { throw LaunchError(error.text) }
            }
        }
        for pid in processes where !stopped.contains(pid) { kill(pid, SIGCONT) }
        let moment = monotonicMicroseconds()
        wakeWaiter()
        // It is not waited for before the processes go on.
        withExtendedLifetime(unlocked) {}
        if let failure { throw failure }
        return moment
    }

    /// It may be about to stop itself.
    func wakeWaiter() {
        for _ in 0..<20 {
            // One that has ended needs no waking.
            if let now = try? state(of: waiter), now == "T" {
                kill(waiter, SIGCONT)
                return
            }
            pauseBriefly(microseconds: 1000)
        }
    }

    private func endRepair(_ pid: Int32, isBehind: Bool) throws(SystemError) {
        let number = linux_pidfd_open(pid, 0)
        if number < 0, errno == ESRCH || errno == EINVAL { return }
        let process = Descriptor(try check("hold process \(pid)") { number })
        for descriptor in try descriptorNumbers(of: pid) {
            // Only a socket's file type is asked for.
            var status = stat()
            guard stat("/proc/\(pid)/fd/\(descriptor)", &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
                continue
            }
            let copy = linux_pidfd_getfd(process.number, descriptor)
            if copy < 0, errno == EBADF { continue }
            let socket = Descriptor(try check("reach a socket of process \(pid)") { copy })
            try check("let a connection of process \(pid) go on") { linux_end_tcp_repair(socket.number) }
            if isBehind { try check("end a connection of process \(pid)") { linux_end_connection(socket.number) } }
        }
    }
}
