import Glibc

/// What /proc/PID/status says of a process's identity and confinement (proc_pid_status(5)). Ids are the reader's.
public struct ProcessStatus: Sendable, Equatable {
    /// A single letter: `R`, `S`, `T`, `Z` and their like.
    public var state = ""
    public var realUID: UInt32 = 0
    public var realGID: UInt32 = 0
    public var groups: [UInt32] = []
    public var umask: UInt32 = 0
    public var capabilities = CapabilityState()
    public var noNewPrivileges = false
    /// 0: none, 1: strict, 2: filters (seccomp(2)).
    public var seccompMode = 0
    /// How many system call filters are in force; at least 1 where the kernel (before 5.9) does not count them.
    public var filters = 0

    /// Throws ENOENT or ESRCH when there is no such process.
    public init(pid: Int32) throws(SystemError) { try self.init(of: "\(pid)") }

    /// The calling process's own.
    public static func current() throws(SystemError) -> ProcessStatus { try ProcessStatus(of: "self") }

    private init(of entry: String) throws(SystemError) {
        let path = "/proc/\(entry)/status"
        guard let status = ProcessStatus(text: try readText(path)) else {
            throw SystemError("read \(path)", code: EPROTO)
        }
        self = status
    }

    /// nil when a field is missing or malformed.
    init?(text: String) {
        var (seen, hasFilters) = (0, false)
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), let field = Field(line[..<colon]) else {
                continue
            }
            let words = line[line.index(after: colon)...].split { $0 == 0x20 || $0 == 0x09 }
            guard take(field, words.map { Substring($0) }) else { return nil }
            if field == .seccomp || field == .filters { hasFilters = true } else { seen += 1 }
        }
        guard seen == Field.needed, hasFilters else { return nil }
    }

    private enum Field {
        case state, uid, gid, groups, umask, inheritable, permitted, effective, bounding, ambient, noNewPrivileges
        case seccomp, filters

        /// Without the two that tell of filters.
        static let needed = 11

        init?(_ name: Substring.UTF8View.SubSequence) {
            switch String(Substring(name)) {
            case "State": self = .state
            case "Uid": self = .uid
            case "Gid": self = .gid
            case "Groups": self = .groups
            case "Umask": self = .umask
            case "CapInh": self = .inheritable
            case "CapPrm": self = .permitted
            case "CapEff": self = .effective
            case "CapBnd": self = .bounding
            case "CapAmb": self = .ambient
            case "NoNewPrivs": self = .noNewPrivileges
            case "Seccomp": self = .seccomp
            case "Seccomp_filters": self = .filters
            default: return nil
            }
        }
    }

    private mutating func take(_ field: Field, _ words: [Substring]) -> Bool {
        if field == .groups {
            groups = words.compactMap { UInt32($0) }
            return groups.count == words.count
        }
        guard let word = words.first else { return false }
        switch field {
        case .state: state = String(word)
        case .uid: return set(&realUID, UInt32(word))
        case .gid: return set(&realGID, UInt32(word))
        case .groups: return false
        case .umask: return set(&umask, UInt32(word, radix: 8))
        case .inheritable: return set(&capabilities.inheritable.bits, UInt64(word, radix: 16))
        case .permitted: return set(&capabilities.permitted.bits, UInt64(word, radix: 16))
        case .effective: return set(&capabilities.effective.bits, UInt64(word, radix: 16))
        case .bounding: return set(&capabilities.bounding.bits, UInt64(word, radix: 16))
        case .ambient: return set(&capabilities.ambient.bits, UInt64(word, radix: 16))
        case .noNewPrivileges: noNewPrivileges = word == "1"
        case .seccomp:
            filters = word == "0" ? 0 : 1
            return set(&seccompMode, Int(word))
        case .filters: return set(&filters, Int(word))
        }
        return true
    }

    private func set<Number>(_ target: inout Number, _ value: Number?) -> Bool {
        guard let value else { return false }
        target = value
        return true
    }
}
