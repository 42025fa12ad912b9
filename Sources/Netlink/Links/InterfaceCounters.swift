import Glibc
public import Kernel

/// What a network interface has received and sent since it was made (the kernel's statistics.rst).
public struct InterfaceCounters: Sendable, Equatable {
    public var name: String
    public var receivedBytes: UInt64 = 0
    public var receivedPackets: UInt64 = 0
    public var receivedErrors: UInt64 = 0
    public var receivedDropped: UInt64 = 0
    public var sentBytes: UInt64 = 0
    public var sentPackets: UInt64 = 0
    public var sentErrors: UInt64 = 0
    public var sentDropped: UInt64 = 0

    public init(name: String) { self.name = name }

    /// Those of the network namespace that a process lives in (/proc/PID/net/dev, proc_pid_net(5)); `nil` when it has
    /// ended. Needs no rights over the process.
    public static func all(of process: Int32) throws(SystemError) -> [InterfaceCounters]? {
        do throws(SystemError) {
            return parse(try readText("/proc/\(process)/net/dev"))
        } catch {
            // A process that has ended has no network left: EINVAL.
            if error.code == ENOENT || error.code == ESRCH || error.code == EINVAL { return nil }
            throw error
        }
    }

    /// Two lines of headings, then one for each interface. A name may hold a colon, the figures do not.
    static func parse(_ text: String) -> [InterfaceCounters] {
        var found: [InterfaceCounters] = []
        for line in text.split(separator: "\n").dropFirst(2) {
            guard let colon = line.lastIndex(of: ":") else { continue }
            let figures = line[line.index(after: colon)...].split(separator: " ").compactMap { UInt64($0) }
            guard figures.count >= 12 else { continue }
            var counters = InterfaceCounters(name: String(line[..<colon].drop { $0 == " " }))
            (counters.receivedBytes, counters.receivedPackets) = (figures[0], figures[1])
            (counters.receivedErrors, counters.receivedDropped) = (figures[2], figures[3])
            (counters.sentBytes, counters.sentPackets) = (figures[8], figures[9])
            (counters.sentErrors, counters.sentDropped) = (figures[10], figures[11])
            found.append(counters)
        }
        return found
    }
}
