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
    let kept: KeptDescriptors
    /// The controlling side of the pseudo-terminal of a detached box, else -1.
    let controller: Int32

    /// Keeps what it needs for that and nothing more: two descriptors, a few pages, eight system calls, and where it
    /// keeps the command's output those of the relay.
    func run(_ signals: borrowing ForwardedSignals) -> Never {
        let descriptors = [signals.descriptor.number, channel.box, kept.exit] + terminal
        closeDescriptors(keeping: descriptors + (kept.relay?.descriptors ?? []))
        var own = linux_init()
        own.command = command
        own.signals = signals.descriptor.number
        own.reports = channel.box
        own.record = kept.exit
        own.owns_terminal = ownsTerminal
        if let relay = kept.relay {
            own.relays = true
            own.relay = relay.resident(controller)
        }
        linux_init_stay(&own)
    }

    /// With the box's side as well the terminal is not hung up while nobody in the box has it open.
    private var terminal: [Int32] {
        guard controller >= 0 else { return [] }
        _ = linux_fcntl(controller, F_SETFL, O_RDWR | O_NONBLOCK)
        return [STDIN_FILENO, controller]
    }
}
