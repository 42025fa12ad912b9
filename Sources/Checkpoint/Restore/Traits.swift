import CLinux
import Glibc
import Kernel
public import Launch
public import Profile

/// What a process is confined by and was given, as /proc tells it: what a restore must bring back.
public struct Traits: Sendable, Equatable {
    /// Its id in the innermost pid namespace.
    public var pid: Int
    /// Lines of /proc/PID/status that must be the same afterwards; none for a process that has ended and waits for its
    /// parent, which CRIU brings back as just that.
    public var confinement: [String]
    /// CRIU forgets these.
    public var coredumpFilter: String
    public var timerSlack: String
    public var processors: String
    public var personality: Int
    public var ioPriority: Int

    private static let lines: Set<Substring> = [
        "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp",
        "Seccomp_filters",
    ]

    /// Reads those of a process of the caller's /proc.
    public init(of process: Int32) throws(LaunchError) {
        do throws(SystemError) {
            let status = try readText("/proc/\(process)/status")
            (confinement, processors, pid) = ([], "", Int(process))
            var hasEnded = false
            for line in status.split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else { continue }
                let words = parts[1].split { $0 == "\t" || $0 == " " }
                if Traits.lines.contains(parts[0]) {
                    confinement.append("\(parts[0]): \(words.joined(separator: " "))")
                }
                if parts[0] == "State", words.first == "Z" { hasEnded = true }
                if parts[0] == "NSpid", let last = words.last, let inner = Int(last) { pid = inner }
                if parts[0] == "Cpus_allowed_list", let list = words.first { processors = String(list) }
            }
            if hasEnded { confinement = [] }
            coredumpFilter = Traits.word(try readText("/proc/\(process)/coredump_filter"))
            timerSlack = Traits.word(try readText("/proc/\(process)/timerslack_ns"))
            personality = Int(Traits.word(try readText("/proc/\(process)/personality")), radix: 16) ?? 0
            ioPriority = Int(max(0, linux_ioprio_get(process)))
        } catch {
            throw LaunchError(error)
        }
    }

    private static func word(_ text: String) -> String {
        text.split { $0 == "\n" || $0 == " " }.first.map { String($0) } ?? ""
    }

    /// As a manifest has it.
    public var value: Value {
        .table([
            ("pid", .integer(pid)), ("confinement", .strings(confinement)),
            ("coredump-filter", .string(coredumpFilter)),
            ("timer-slack", .string(timerSlack)), ("processors", .string(processors)),
            ("personality", .integer(personality)), ("io-priority", .integer(ioPriority)),
        ])
    }

    /// The opposite of ``value``; `nil` for what we did not write.
    public init?(_ value: Value) {
        guard case .integer(let pid)? = value["pid"], case .array(let lines)? = value["confinement"],
            case .string(let filter)? = value["coredump-filter"], case .string(let slack)? = value["timer-slack"],
            case .string(let processors)? = value["processors"], case .integer(let persona)? = value["personality"],
            case .integer(let priority)? = value["io-priority"]
        else { return nil }
        confinement = []
        for line in lines {
            guard case .string(let text) = line else { return nil }
            confinement.append(text)
        }
        self.pid = pid
        (coredumpFilter, timerSlack, self.processors) = (filter, slack, processors)
        (personality, ioPriority) = (persona, priority)
    }

    /// Gives the calling process what restored ones inherit from it.
    func adopt() throws(SystemError) {
        if let set = CPUSet(processors) { try setAffinity(set) }
        if ioPriority > 0 {
            try check("set the io priority") { linux_ioprio_set(1, 0, Int32(ioPriority)) }
        }
        if personality != 0 { try check("set the personality") { linux_personality(UInt(personality)) } }
    }

    /// Puts back from outside what the process would have to set itself.
    func putBack(on process: Int32) throws(SystemError) {
        try writeText("0x" + coredumpFilter, to: "/proc/\(process)/coredump_filter")
        try writeText(timerSlack, to: "/proc/\(process)/timerslack_ns")
    }

    /// Compares a restored process with what the snapshot promises.
    func verify(_ restored: Traits) throws(LaunchError) {
        if restored.confinement == confinement { return }
        let wrong = restored.confinement.filter { !confinement.contains($0) }
        let promised = confinement.filter { !restored.confinement.contains($0) }
        throw LaunchError(
            "process \(pid) would be confined in another way than it was: \(wrong.joined(separator: ", ")) in place of "
                + promised.joined(separator: ", "))
    }
}
