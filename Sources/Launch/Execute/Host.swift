import Glibc
import Kernel
import Profile

extension HostFacts {
    /// The facts of the running process and machine; what is costly is looked up when it is asked for.
    public static func current(
        namespaceDirectory: @escaping @Sendable (_ sandbox: String) throws(LaunchError) -> String? = {
            _ throws(LaunchError) in nil
        }
    ) throws(LaunchError) -> HostFacts {
        let isPrivileged = try attributed(to: nil) { () throws(SystemError) in
            try CapabilityState.holds(.sysAdmin)
        }
        var facts = HostFacts(
            uid: geteuid(), gid: getegid(), privileged: isPrivileged,
            environment: environmentOfCaller(), home: "/", hasTerminal: Host.hasTerminal(),
            directory: Host.directory, glob: Host.glob, mounts: Host.mounts, subordinateIDs: Host.subordinateIDs,
            namespaceDirectory: namespaceDirectory)
        // Without HOME "~/.ssh" must not come to mean "/.ssh", which is not there and so hidden easily.
        facts.home =
            facts.variable("HOME").flatMap { $0.utf8.first == UInt8(ascii: "/") ? $0 : nil } ?? Host.account()?.home
            ?? "/"
        return facts
    }
}

/// environ(7) as strings; bytes that are no UTF-8 are replaced.
public func environmentOfCaller() -> [String] {
    var entries: [String] = []
    var next = environ
    while let entry = next.pointee {
        if !OwnExecutable.isOwn(entry) { entries.append(String(cString: entry)) }
        next += 1
    }
    return entries
}

private enum Host {
    /// getcwd(3), whatever $PWD says.
    @Sendable static func directory() -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard getcwd(&buffer, buffer.count) != nil, buffer[0] == 0x2f else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// glob(3), sorted.
    @Sendable static func glob(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard Glibc.glob(pattern, 0, nil, &result) == 0 else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { index in
            result.gl_pathv[index].map { String(cString: $0) }
        }
    }

    /// The mount table; none where it cannot be read, so that what needs it fails by itself.
    @Sendable static func mounts() -> [HostMount] {
        guard let table = try? readText("/proc/self/mountinfo") else { return [] }
        return table.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { return nil }
            return HostMount(path: unescapeMountPath(fields[4]), type: String(fields[dash + 1]))
        }
    }

    /// Ranges of subuid(5) or subgid(5) for the caller, by name or number.
    @Sendable static func subordinateIDs(_ uid: Bool) -> [Profile.IDRange] {
        guard let text = try? readText(uid ? "/etc/subuid" : "/etc/subgid") else { return [] }
        let owners = [String(geteuid())] + (account().map { [$0.name] } ?? [])
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, owners.contains(String(fields[0])), let start = UInt32(fields[1]),
                let count = UInt32(fields[2]), count > 0
            else { return nil }
            return Profile.IDRange(inside: 0, outside: start, count: count)
        }
    }

    /// The caller's line of passwd(5), nil where there is none or no such file.
    static func account() -> (name: String, home: String)? {
        guard let text = try? readText("/etc/passwd") else { return nil }
        let uid = String(geteuid())
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 5, fields[2] == uid, fields[5].hasPrefix("/") {
                return (String(fields[0]), String(fields[5]))
            }
        }
        return nil
    }

    /// A terminal that the caller has, though it may control another session: root may inject into that too.
    static func hasTerminal() -> Bool {
        Terminal.hasControlling() || (0...2).contains { isatty($0) == 1 }
    }
}
