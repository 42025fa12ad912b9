import CLinux
import Glibc
public import Kernel

/// Packets of an interface by tcpdump(8), which compiles its own filter language for the kernel: what does not match
/// is never copied, and what passes is not touched.
public struct PacketCapture: Sendable {
    /// Seen from the interface's own namespace.
    public enum Direction: String, Sendable, CaseIterable { case both = "inout", inward = "in", outward = "out" }

    public var interface: String
    public var direction = Direction.both
    /// Packets after which it ends; `nil`: none.
    public var count: Int?
    /// Words of pcap-filter(7).
    public var filter: [String] = []
    /// Whether standard output gets the packets as they are (pcap-savefile(5)), not lines about them.
    public var isRaw = false
    /// Whether the interface must hear what is meant for others: a bridge, to see what it forwards.
    public var isPromiscuous = false

    public init(_ interface: String) { self.interface = interface }

    var arguments: [String] {
        var words = ["-i", interface, "-n", "-Q", direction.rawValue]
        // Each packet is written as it comes, so that a reader need not wait for more.
        words += isRaw ? ["-U", "-w", "-"] : ["-l"]
        if !isPromiscuous { words.append("-p") }
        if let count { words += ["-c", "\(count)"] }
        return words + ["--"] + filter
    }

    /// The same for frames that come from standard input (pcap-savefile(5)).
    var readingArguments: [String] {
        var words = ["-r", "-", "-n"] + (isRaw ? ["-U", "-w", "-"] : ["-l"])
        if let count { words += ["-c", "\(count)"] }
        return words + ["--"] + filter
    }

    /// Finds out whether the filter is one, before anything is opened or written.
    /// - Returns: the program that does it.
    public func check(in namespace: Int32) throws(SwitchError) -> Engine {
        let program = try Program("tcpdump", package: "tcpdump")
        if filter.contains(where: { $0.utf8.contains(0) }) {
            throw SwitchError("the filter holds a NUL byte", mend: "see pcap-filter(7)")
        }
        if !filter.isEmpty {
            do throws(SwitchError) {
                try program.run(["-y", "EN10MB", "-n", "-d", "--"] + filter, input: "", in: namespace)
            } catch {
                throw SwitchError(
                    "\"\(filter.joined(separator: " "))\" is no filter: \(error.message)", mend: "see pcap-filter(7)")
            }
        }
        return Engine(program)
    }

    /// The program that was found.
    public struct Engine: Sendable {
        let program: Program
        fileprivate init(_ program: Program) { self.program = program }
    }

    /// Becomes tcpdump in the network namespace behind a descriptor, its own or a process's. The process must have one
    /// thread, and loses its descriptors but 0, 1 and 2.
    public func become(_ engine: Engine, in namespace: Int32) throws(SystemError) -> Never {
        try joinNamespace(namespace, .net, name: "of the port")
        let path = engine.program.path
        _ = linux_close_range(3, UInt32.max, 0)
        withCStrings([path] + arguments) { words in _ = execve(path, words, Glibc.environ) }
        throw SystemError("start \(path)", code: errno)
    }
}
