import CLinux
import Glibc

/// What the process that stays with a detached box needs to keep the command's output, and to serve viewers of its
/// terminal. Descriptors are closed on exec, and -1 where there is none.
public struct OutputRelay: Sendable {
    /// The reading side of a pipe that is the command's output and errors, where it has no terminal; does not block.
    public var output: Int32 = -1
    /// A listening socket for viewers, where it has one; does not block.
    public var listener: Int32 = -1
    /// One file open for appending, or with a limit two, used in turns: TURN % 2 is written to.
    public var logs: [Int32] = []
    /// Bytes that each log holds at most; 0 is without end.
    public var limit: UInt64 = 0
    /// A file open for appending, for lines "MILLISECONDS TURN OFFSET".
    public var marks: Int32 = -1
    /// Where the next output goes.
    public var turn: UInt64 = 0
    public var offset: UInt64 = 0

    public init() {}

    /// All that is open.
    public var descriptors: [Int32] {
        var open: [Int32] = []
        for number in [output, listener, marks] + logs where number >= 0 { open.append(number) }
        return open
    }

    /// The log that is written to first.
    public var log: Int32 { logs.isEmpty ? -1 : logs[Int(turn % UInt64(logs.count))] }

    /// For a resident process; `controller` is the controlling side of the terminal, or -1.
    func resident(_ controller: Int32) -> linux_relay {
        var relay = linux_relay()
        relay.controller = controller
        relay.output = output
        relay.listener = listener
        relay.logs.0 = logs.first ?? -1
        relay.logs.1 = logs.count > 1 ? logs[1] : -1
        relay.marks = marks
        relay.limit = logs.count > 1 ? limit : 0
        relay.turn = turn
        relay.offset = offset
        return relay
    }
}
