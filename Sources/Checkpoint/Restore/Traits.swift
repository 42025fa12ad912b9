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
    public var personality: Int
    /// Its first thread's.
    public var first: ThreadTraits
    /// Those of its further threads that differ from the first.
    public var others: [ThreadTraits]

    private static let lines: Set<Substring> = [
        "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp",
        "Seccomp_filters",
    ]

    /// Reads those of a process of the caller's /proc.
    public init(of process: Int32) throws(LaunchError) {
        do throws(SystemError) {
            confinement = []
            var hasEnded = false
            for line in try readText("/proc/\(process)/status").split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else { continue }
                let words = parts[1].split { $0 == "\t" || $0 == " " }
                if Traits.lines.contains(parts[0]) {
                    confinement.append("\(parts[0]): \(words.joined(separator: " "))")
                }
                if parts[0] == "State", words.first == "Z" { hasEnded = true }
            }
            if hasEnded { confinement = [] }
            coredumpFilter = Traits.word(try readText("/proc/\(process)/coredump_filter"))
            personality = Int(Traits.word(try readText("/proc/\(process)/personality")), radix: 16) ?? 0
            let first = try ThreadTraits(process, of: process)
            (self.first, pid, others) = (first, first.id, [])
            for thread in try numbers(in: "/proc/\(process)/task") where thread != process {
                var own = try ThreadTraits(thread, of: process)
                let id = own.id
                own.id = first.id
                if own == first { continue }
                own.id = id
                others.append(own)
            }
        } catch {
            throw LaunchError(error)
        }
    }

    static func word(_ text: String) -> String {
        text.split { $0 == "\n" || $0 == " " }.first.map { String($0) } ?? ""
    }

    /// As a snapshot has it.
    public var value: Value {
        .table([
            ("pid", .integer(pid)), ("confinement", .strings(confinement)),
            ("coredump-filter", .string(coredumpFilter)), ("personality", .integer(personality)),
            ("first", first.value), ("others", .array(others.map { $0.value })),
        ])
    }

    /// The opposite of ``value``; `nil` for what we did not write.
    public init?(_ value: Value) {
        guard case .integer(let pid)? = value["pid"], case .array(let lines)? = value["confinement"],
            case .string(let filter)? = value["coredump-filter"], case .integer(let persona)? = value["personality"],
            let first = value["first"].flatMap({ ThreadTraits($0) }), case .array(let items)? = value["others"]
        else { return nil }
        (confinement, others) = ([], [])
        for line in lines {
            guard case .string(let text) = line else { return nil }
            confinement.append(text)
        }
        for item in items {
            guard let thread = ThreadTraits(item) else { return nil }
            others.append(thread)
        }
        (self.pid, coredumpFilter, personality, self.first) = (pid, filter, persona, first)
    }

    /// Gives the calling process what restored ones inherit from it.
    func adopt() throws(SystemError) {
        try first.adopt()
        if personality != 0 { try check("set the personality") { linux_personality(UInt(personality)) } }
    }

    /// Puts back from outside what the process would have to set itself.
    func putBack(on process: Int32) throws(SystemError) {
        try writeText("0x" + coredumpFilter, to: "/proc/\(process)/coredump_filter")
        for thread in try numbers(in: "/proc/\(process)/task") {
            let id = try ThreadTraits(thread, of: process).id
            try (others.first { $0.id == id } ?? first).putBack(on: thread, of: process)
        }
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
