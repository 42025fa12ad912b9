import CLinux
import Glibc
import Kernel
import Launch

/// What a detached command's output goes to.
struct OutputFiles {
    /// The command's standard output and error where it has no terminal, else -1.
    var output: Int32 = -1
    /// What the process that stays with it does; `nil` where the command writes the log itself.
    var relay: OutputRelay?
}

extension StateFolder {
    /// Opens what a sandbox's output is kept in, after that of earlier runs.
    /// - Parameter limit: bytes in all; `nil` is without end.
    /// - Parameter terminal: whether the command is on a pseudo-terminal, to be served to viewers.
    func openOutput(limit: UInt64?, terminal: Bool) throws(SystemError) -> OutputFiles {
        let marks = try open(File.marks, O_RDWR | O_CREAT | O_APPEND)
        var files = OutputFiles()
        guard limit != nil || terminal else {
            let log = try append(File.log)
            try mark(marks.number, OutputPlace(offset: try size(log.number)))
            // Without O_NOFOLLOW, with which nobody could open it anew through /proc, as a restore does.
            let path = "/proc/self/fd/\(log.number)"
            files.output = try Descriptor(open: path, O_WRONLY | O_APPEND).take()
            return files
        }
        var relay = OutputRelay()
        for name in limit == nil ? [File.ring[0]] : File.ring { relay.logs.append(try append(name).take()) }
        relay.limit = max(1, (limit ?? 0) / 2)
        if limit != nil { relay.turn = try OutputLog.lastTurn(marks.number) ?? 0 }
        relay.offset = try size(relay.logs[Int(relay.turn % UInt64(relay.logs.count))])
        try mark(marks.number, OutputPlace(turn: relay.turn, offset: relay.offset))
        relay.marks = marks.take()
        if terminal {
            relay.listener = try TerminalSocket.listen(in: self)
        } else {
            let pipe = try makePipe("make a pipe for the output")
            try check("make a pipe for the output") { linux_fcntl(pipe.read, F_SETFL, O_NONBLOCK) }
            (relay.output, files.output) = (pipe.read, pipe.write)
        }
        files.relay = relay
        return files
    }

    private func mark(_ marks: Int32, _ place: OutputPlace) throws(SystemError) {
        try writeText(OutputMark(time: unixMilliseconds(), place: place).line, to: marks, name: File.marks)
    }

    private func size(_ log: Int32) throws(SystemError) -> UInt64 { UInt64(try FileStatus(log, name: File.log).size) }
}
