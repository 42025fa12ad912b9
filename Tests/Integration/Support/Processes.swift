import Glibc

/// What /proc says of processes.
enum Processes {
    static var all: [pid_t] { Files.list("/proc").compactMap { pid_t($0) } }

    static func status(_ pid: pid_t, _ field: String) -> String? {
        guard let text = Files.read("/proc/\(pid)/status") else { return nil }
        return Status(text)[field]
    }

    static func children(of pid: pid_t) -> [pid_t] { all.filter { status($0, "PPid") == "\(pid)" } }

    /// When it began, in clock ticks after boot; nil when there is none.
    static func startTime(_ pid: pid_t) -> Int? {
        let fields = (Files.read("/proc/\(pid)/stat") ?? "").split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 19 ? Int(fields[19]) : nil
    }

    static func command(_ pid: pid_t) -> [String] {
        (Files.read("/proc/\(pid)/cmdline") ?? "").split(separator: "\0").map(String.init)
    }

    /// Processes whose environment has `variable=value`.
    static func marked(_ variable: String, _ value: String) -> [pid_t] {
        all.filter { pid in
            (Files.read("/proc/\(pid)/environ") ?? "").split(separator: "\0").contains { $0 == "\(variable)=\(value)" }
        }
    }

    /// A namespace's identity, `net:[4026531840]`.
    static func namespace(_ entry: String, of pid: String = "self") -> String? {
        Files.linkTarget("/proc/\(pid)/ns/\(entry)")
    }
}

/// The fields of /proc/PID/status.
struct Status {
    private var fields: [String: String] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].split(whereSeparator: { $0 == "\t" || $0 == " " })
            fields[String(line[..<colon])] = value.joined(separator: " ")
        }
    }

    subscript(name: String) -> String? { fields[name] }

    /// A capability set as a number.
    func set(_ name: String) -> UInt64? { fields[name].flatMap { UInt64($0, radix: 16) } }
}
