import CLinux
import Glibc
public import Kernel
public import Launch
public import Netlink
import Profile

/// Where figures of a sandbox come from.
public enum MeasurementSource: String, Sendable {
    /// The kernel's accounts, complete.
    case controlGroup = "control-group"
    /// Added up from /proc, for want of a control group: without what has ended or got another parent, and with shared
    /// memory counted for each process.
    case processTree = "process-tree"
}

/// What a running sandbox uses, at one moment.
public struct Statistics: Sendable, Equatable {
    /// Record and state.
    public var summary: SandboxSummary
    /// When that was, in nanoseconds of CLOCK_MONOTONIC.
    public var time: UInt64
    /// Where ``usage`` comes from.
    public var source: MeasurementSource
    /// Time, memory, processes and disk traffic.
    public var usage: CgroupUsage
    /// `nil` when it uses the caller's network, whose traffic is not its own.
    public var interfaces: [InterfaceCounters]?

    /// The sandbox's name.
    public var name: String { summary.record.name }
}

/// What a sandbox used per second between two moments; `nil` for what is not counted.
public struct UsageRates: Sendable, Equatable {
    /// CPUs' worth of time: 0.5 is half of one.
    public var cpu: Double?
    /// Bytes, from disks.
    public var read: Double?
    /// Bytes, to disks.
    public var written: Double?
    /// Bytes, over all interfaces but the loopback.
    public var received: Double?
    /// Bytes, over all interfaces but the loopback.
    public var sent: Double?
    /// Packets.
    public var receivedPackets: Double?
    /// Packets.
    public var sentPackets: Double?

    /// Nothing counted.
    public init() {}
}

extension Sandbox {
    /// Measures what the sandbox uses.
    /// - Throws: when it does not run.
    public func statistics() throws(LaunchError) -> Statistics {
        let record = try runningRecord()
        let summary = SandboxSummary(record: record, state: try registry.displayState(of: record))
        guard let statistics = try Statistics(summary) else { throw notRunning }
        return statistics
    }
}

extension Statistics {
    /// `nil` when the sandbox does not run, or has ended meanwhile.
    init?(_ summary: SandboxSummary) throws(LaunchError) {
        let record = summary.record
        guard record.phase == .running, let process = record.process else { return nil }
        do throws(SystemError) {
            guard let held = try ProcessHandle(process) else { return nil }
            self.summary = summary
            time = monotonicNanoseconds()
            source = record.groups.isEmpty ? .processTree : .controlGroup
            usage =
                record.groups.isEmpty
                ? try CgroupUsage.sum(of: processTree(of: process.pid)) : try Cgroup(groups: record.groups).usage()
            if record.namespaces.contains(.net) { interfaces = try InterfaceCounters.all(of: process.pid) }
            if try held.waitForEnd(milliseconds: 0) { return nil }
        } catch {
            if error.isEndOfGroup { return nil }
            throw LaunchError(error)
        }
    }

    /// What was used per second since `earlier`; `nil` where that was another run of it, or the same moment.
    public func rates(since earlier: Statistics) -> UsageRates? {
        guard earlier.summary.record.process == summary.record.process, time > earlier.time else { return nil }
        let seconds = Double(time - earlier.time) / 1e9
        // What is added up from processes falls when one of them ends.
        func rate(_ now: UInt64?, _ before: UInt64?) -> Double? {
            guard let now, let before else { return nil }
            return Double(now - min(now, before)) / seconds
        }
        var rates = UsageRates()
        rates.cpu = rate(usage.cpu, earlier.usage.cpu).map { $0 / 1e6 }
        rates.read = rate(usage.readBytes, earlier.usage.readBytes)
        rates.written = rate(usage.writtenBytes, earlier.usage.writtenBytes)
        rates.received = rate(total(\.receivedBytes), earlier.total(\.receivedBytes))
        rates.sent = rate(total(\.sentBytes), earlier.total(\.sentBytes))
        rates.receivedPackets = rate(total(\.receivedPackets), earlier.total(\.receivedPackets))
        rates.sentPackets = rate(total(\.sentPackets), earlier.total(\.sentPackets))
        return rates
    }

    /// The sum over the interfaces but the loopback, which carries nothing in or out.
    public func total(_ counter: KeyPath<InterfaceCounters, UInt64>) -> UInt64? {
        guard let interfaces else { return nil }
        var sum: UInt64 = 0
        for interface in interfaces where interface.name != "lo" { sum &+= interface[keyPath: counter] }
        return sum
    }
}

private func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
