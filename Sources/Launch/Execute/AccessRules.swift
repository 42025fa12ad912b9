import CLinux
import Glibc
import Kernel
import Profile

/// The plan's rules on files, ports and scopes as the kernel's Landlock enforces them (landlock(7)).
struct AccessRules {
    private let plan: LaunchPlan

    init(_ plan: LaunchPlan) { self.plan = plan }

    /// Opens the rules in the finished box, before privileges are given away; nil when nothing is asked for.
    func open() throws(LaunchError) -> LandlockDomain? {
        let wanted = plan.security.landlock
        var rules = LandlockRuleset(bind: wanted.tcpBind, connect: wanted.tcpConnect)
        if wanted.scope.contains(.abstractUnix) { rules.scope.insert(.abstractUnixSocket) }
        if wanted.scope.contains(.signal) { rules.scope.insert(.signal) }
        if let access = plan.filesystem.landlock {
            // With mounts the steps have refused it already.
            if !access.listsDirectories, let path = access.readOnly.first(where: { AccessRules.resolve($0) == nil }) {
                throw LaunchError(
                    key: "filesystem.read-only", "\(path) does not exist", mend: "remove it, or make it")
            }
            rules.paths = AccessRules.tree(access, resolve: AccessRules.resolve).rules(list: directoryEntries)
        }
        if rules.isEmpty { return nil }
        let key = plan.filesystem.landlock == nil ? "security.landlock" : "filesystem.landlock"
        // A closure cannot hand out a value that cannot be copied.
        do throws(SystemError) { return try rules.open() } catch { throw LaunchError(error, key: key) }
    }

    /// Which paths may be read and written; `resolve` gives a path without symbolic links, nil for one that is missing.
    static func tree(_ access: LandlockPlan, resolve: (String) -> String?) -> LandlockTree {
        LandlockTree(
            everythingElse: .writable, readOnly: access.readOnly.compactMap(resolve),
            writable: access.writable.compactMap(resolve), hidden: access.hidden.compactMap(resolve),
            onTheWay: access.listsDirectories ? .readDirectory : [])
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
