public import Addresses
public import Kernel

/// What a launch is given beside its plan, and whom it tells how far it is.
public struct LaunchContext {
    /// The command's words byte for byte, where the plan has them as text only.
    public var arguments: CommandWords?
    /// What is left outside besides the control group. With it the waiter gives its memory back once the command has
    /// begun, and ends as a process of the caller's executable that is told ``Remains/option``, the status and the words
    /// of the remains, or, where there is nothing to clear away, with the command's status.
    public var remains: Remains?
    /// What stays open for a detached box.
    public var kept = KeptDescriptors()
    /// Descriptors that the caller itself still needs.
    public var held: [Int32] = []
    /// Told the process that stands for the box (process 1 of a new pid namespace, or the command itself) and its
    /// control groups. The box is set up only after this has returned.
    public var started: (_ pid: Int32, _ groups: [Cgroup.Group]) throws(LaunchError) -> Void
    /// Makes the box's interfaces, from outside it: gets a descriptor of its network namespace, and the process that
    /// stands for it. Returns the name servers that the networks there told.
    public var attach: Attach = { _, _ throws(LaunchError) in [] }
    public typealias Attach = (_ namespace: Int32, _ pid: Int32) throws(LaunchError) -> [IPAddress]
    /// A descriptor of the network namespace that the caller is in, where it has one open; -1 otherwise.
    public var network: Int32 = -1
    /// Told what is worth knowing and no error.
    public var notice: (_ text: String) -> Void = { _ in }
    /// Told that the command has begun.
    public var begun: () throws(LaunchError) -> Void

    public init(
        arguments: CommandWords? = nil, remains: Remains? = nil,
        started: @escaping (Int32, [Cgroup.Group]) throws(LaunchError) -> Void = { _, _ throws(LaunchError) in },
        begun: @escaping () throws(LaunchError) -> Void = { () throws(LaunchError) in }
    ) {
        self.arguments = arguments
        self.remains = remains
        self.started = started
        self.begun = begun
    }
}

/// Open files of a detached box, -1 where there is none. All are closed on exec.
public struct KeptDescriptors: Sendable {
    /// The command's standard input.
    public var input: Int32 = -1
    /// The command's standard output and error.
    public var output: Int32 = -1
    /// What the launcher itself has to say once it stands alone.
    public var complaints: Int32 = -1
    /// Gets the exit status from our init.
    public var exit: Int32 = -1
    /// For the process that stays, where the command does not write its log itself.
    public var relay: OutputRelay?

    public init() {}

    /// Those that outlive the launch's clean-up of the caller's descriptors.
    var all: [Int32] { [input, output, complaints, exit].filter { $0 >= 0 } + (relay?.descriptors ?? []) }
}
