import CLinux
import Glibc
import Kernel
import Profile

/// What CRIU forgets of a thread.
public struct ThreadTraits: Sendable, Equatable {
    /// Its id in the innermost pid namespace.
    public var id: Int
    /// CPUs, a list such as `0-1,3`; empty: all that the machine has.
    public var processors: String
    /// ioprio_get(2).
    public var ioPriority: Int
    /// Nanoseconds, in digits.
    public var timerSlack: String

    /// Those of a thread of the caller's /proc.
    init(_ thread: Int32, of process: Int32) throws(SystemError) {
        (id, processors) = (Int(thread), "")
        for line in try readText("/proc/\(process)/task/\(thread)/status").split(separator: "\n") {
            let words = line.split { $0 == ":" || $0 == "\t" || $0 == " " }
            if words.first == "NSpid", let last = words.last, let inner = Int(last) { id = inner }
            if words.first == "Cpus_allowed_list", words.count > 1 { processors = String(words[1]) }
        }
        if let own = CPUSet(processors), try ThreadTraits.online.isSubset(of: own.processors) { processors = "" }
        ioPriority = Int(max(0, linux_ioprio_get(thread)))
        timerSlack = Traits.word(try readText("/proc/\(thread)/timerslack_ns"))
    }

    /// The machine's processors, asked for once.
    private static let machine = Result { () throws(SystemError) in
        Set(CPUSet(Traits.word(try readText("/sys/devices/system/cpu/online")))?.processors ?? [])
    }

    private static var online: Set<Int> { get throws(SystemError) { try machine.get() } }

    /// The processors that this machine has of them; all of it where it has none.
    private var bindable: CPUSet? {
        get throws(SystemError) {
            let online = try ThreadTraits.online
            let wanted = CPUSet(processors).map { online.intersection($0.processors) } ?? []
            let chosen = wanted.isEmpty ? online : wanted
            return CPUSet(chosen.sorted().map { "\($0)" }.joined(separator: ","))
        }
    }

    /// Gives the calling thread what restored ones inherit from it.
    func adopt() throws(SystemError) {
        if let set = try bindable { try bind(0, to: set) }
        if ioPriority != Int(linux_ioprio_get(0)) { try setPriority(of: 0) }
    }

    /// Gives a thread what it does not have yet.
    func putBack(on thread: Int32, of process: Int32) throws(SystemError) {
        let now = try ThreadTraits(thread, of: process)
        if now.processors != processors, let set = try bindable { try bind(thread, to: set) }
        if now.ioPriority != ioPriority { try setPriority(of: thread) }
        if now.timerSlack != timerSlack { try writeText(timerSlack, to: "/proc/\(thread)/timerslack_ns") }
    }

    private func bind(_ thread: Int32, to set: CPUSet) throws(SystemError) {
        try check("bind thread \(id) to its CPUs") { set.bind(thread) }
    }

    private func setPriority(of thread: Int32) throws(SystemError) {
        // IOPRIO_WHO_PROCESS
        try check("set the io priority of thread \(id)") { linux_ioprio_set(1, thread, Int32(ioPriority)) }
    }

    /// As a snapshot has it.
    var value: Value {
        .array([.integer(id), .string(processors), .integer(ioPriority), .string(timerSlack)])
    }

    /// The opposite of ``value``; `nil` for what we did not write.
    init?(_ value: Value) {
        guard case .array(let parts) = value, parts.count == 4, case .integer(let id) = parts[0],
            case .string(let processors) = parts[1], case .integer(let priority) = parts[2],
            case .string(let slack) = parts[3]
        else { return nil }
        (self.id, self.processors, ioPriority, timerSlack) = (id, processors, priority, slack)
    }
}
