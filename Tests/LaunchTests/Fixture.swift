import Profile

@testable import Launch

/// A host of the tests' own making: a user alice, without privilege or terminal unless said otherwise.
func host(
    uid: UInt32 = 1000, privileged: Bool = false, terminal: Bool = false, home: String = "/home/alice",
    environment: [String] = [], glob: [String: [String]] = [:], mounts: [(String, String)] = [],
    subordinate: [Profile.IDRange] = [], sandboxes: [String: String] = [:]
) -> HostFacts {
    let table = mounts.map { HostMount(path: $0.0, type: $0.1) }
    return HostFacts(
        uid: uid, gid: uid, privileged: privileged, environment: environment, home: home, hasTerminal: terminal,
        glob: { glob[$0] ?? [] }, mounts: { table }, subordinateIDs: { _ in subordinate },
        namespaceDirectory: { sandboxes[$0] })
}

/// A root's host.
func rootHost(terminal: Bool = false, mounts: [(String, String)] = []) -> HostFacts {
    host(uid: 0, privileged: true, terminal: terminal, home: "/root", mounts: mounts)
}

func plan(
    _ host: HostFacts = rootHost(), _ command: [String] = ["true"], _ change: (inout Profile) -> Void = { _ in }
) throws(LaunchError) -> LaunchPlan {
    var profile = Profile()
    change(&profile)
    return try Planner(host: host).plan(profile, command: command)
}

/// The error of planning; nil when there is none.
func refusal(
    _ host: HostFacts = rootHost(), _ command: [String] = ["true"], _ change: (inout Profile) -> Void
) -> LaunchError? {
    do throws(LaunchError) {
        _ = try plan(host, command, change)
        return nil
    } catch {
        return error
    }
}

/// [filesystem] planned with a mount namespace and those of `others`.
func filesystem(
    _ host: HostFacts = rootHost(), _ others: NamespaceSet = [],
    _ change: (inout Profile.Filesystem) -> Void
) throws(LaunchError) -> FilesystemPlan {
    try plan(host) {
        $0.namespaces.unshare = others.union([.mount])
        change(&$0.filesystem)
    }.filesystem
}

extension FilesystemPlan {
    /// Every step in a few words.
    var outline: [String] { steps.map(\.operation.outline) }
}

extension MountOperation {
    var outline: String {
        switch self {
        case .bind(let from, let to, let options): "\(options.readOnly ? "bind ro" : "bind") \(from) \(to)"
        case .readOnly(let path, _): "read-only \(path)"
        case .writable(let path): "writable \(path)"
        case .hide(let path): "hide \(path)"
        case .tmpfs(let path, _, let mode, _): "tmpfs \(path) \(String(mode, radix: 8))"
        case .directory(let path, let mode): "directory \(path) \(String(mode, radix: 8))"
        case .file(let path, _, _): "file \(path)"
        case .replace(let path, _, _, let optional): "replace \(path)\(optional ? " if there" : "")"
        case .symlink(let path, let target): "symlink \(path) \(target)"
        case .keep(let folder, let home): "keep \(folder) below \(home)"
        case .proc(let path): "proc \(path)"
        case .tap(let interface): "tap \(interface)"
        case .devices(let path, let messageQueues): "devices \(path)\(messageQueues ? " mqueue" : "")"
        }
    }
}
