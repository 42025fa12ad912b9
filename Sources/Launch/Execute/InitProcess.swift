import CLinux
import Glibc
import Kernel

/// Process 1 of a box: reaps orphans, passes signals on, and ends as the command ended, which ends all the rest of a
/// pid namespace (pid_namespaces(7)).
struct InitProcess {
    let command: Int32
    /// Whether the command is the foreground job of a pseudo-terminal whose session this process leads.
    let ownsTerminal: Bool
    let channel: ReportChannel

    func run(_ signals: borrowing ForwardedSignals) -> Never {
        _ = linux_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        while true {
            var wait = pollfd(fd: signals.descriptor.number, events: Int16(POLLIN), revents: 0)
            _ = poll(&wait, 1, -1)
            while true {
                var info = signalfd_siginfo()
                let size = MemoryLayout<signalfd_siginfo>.size
                guard read(signals.descriptor.number, &info, size) == size else { break }
                handle(Int32(info.ssi_signo), fromKernel: info.ssi_code == 0x80)
            }
        }
    }

    private func handle(_ signal: Int32, fromKernel: Bool) {
        if signal == SIGCHLD { return reap() }
        if fromKernel { return }
        // A stopped job is continued as a whole.
        let target = ownsTerminal && signal == SIGCONT ? -command : command
        kill(target, signal)
    }

    private func reap() {
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG | WUNTRACED)
            if pid <= 0 { return }
            guard pid == command else { continue }
            switch WaitStatus(status) {
            case .stopped(let signal): channel.send(.stopped(signal: signal))
            case .continued: continue
            case .exited, .signaled: _exit(WaitStatus(status).exitStatus)
            }
        }
    }
}
