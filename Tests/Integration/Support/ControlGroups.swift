import Glibc

/// The control groups of processes, version 1 or 2, whichever has the controller.
enum ControlGroups {
    static let isV2 = Machine.hasControllerV2

    static func has(_ controller: String) -> Bool { isV2 || Machine.hasControllerV1(controller) }

    /// The path of a process's group, under the hierarchy of that controller.
    static func path(of pid: pid_t, controller: String) -> String? {
        for line in (Files.read("/proc/\(pid)/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            if isV2, parts[0] == "0" { return "/sys/fs/cgroup" + parts[2] }
            if parts[1].split(separator: ",").contains(Substring(controller)) {
                return "/sys/fs/cgroup/\(controller)" + parts[2]
            }
        }
        return nil
    }

    /// What a file of a process's group says.
    static func read(_ pid: pid_t, _ controller: String, _ v2: String, _ v1: String) -> String? {
        guard let path = path(of: pid, controller: controller) else { return nil }
        return Files.read(path + "/" + (isV2 ? v2 : v1)).map { String($0.prefix { $0 != "\n" }) }
    }

    static func memory(_ pid: pid_t) -> String? { read(pid, "memory", "memory.max", "memory.limit_in_bytes") }

    static func pids(_ pid: pid_t) -> String? { read(pid, "pids", "pids.max", "pids.max") }

    /// Hundredths of a CPU; `nil` for no quota.
    static func cpu(_ pid: pid_t) -> Int? {
        var words = read(pid, "cpu", "cpu.max", "cpu.cfs_quota_us")?.split(separator: " ").map(String.init) ?? []
        if !isV2 { words.append(read(pid, "cpu", "", "cpu.cfs_period_us") ?? "") }
        guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), quota > 0 else { return nil }
        return quota * 100 / period
    }
}
