import Glibc
import Kernel
public import Launch

extension Sandbox {
    /// Forgets the sandbox, with its log and all that is kept of it.
    /// - Parameter force: whether one that runs is ended first, without grace.
    public func remove(force: Bool = false) throws(LaunchError) {
        if let failure = Sandbox.remove([name], in: registry, force: force).first { throw failure.error }
    }

    /// Forgets several; with `force` damaged ones too, of which all that is provably theirs is ended.
    /// - Returns: those that could not be removed, with the reason.
    public static func remove(_ names: [String], force: Bool = false) -> [(name: String, error: LaunchError)] {
        do throws(LaunchError) {
            return remove(names, in: try Registry.ofCaller(), force: force)
        } catch {
            return names.map { ($0, error) }
        }
    }

    private static func remove(
        _ names: [String], in registry: Registry, force: Bool
    ) -> [(name: String, error: LaunchError)] {
        var failures: [(name: String, error: LaunchError)] = []
        var stopped: [String] = []
        if force {
            stopped = names.filter { registry.isReadable($0) }
            failures = stop(stopped.map { Sandbox($0, registry) }, timeout: 0).map { ($0.sandbox.name, $0.error) }
        }
        for name in names where !failures.contains(where: { $0.name == name }) {
            do throws(LaunchError) {
                // One that leaves no record is gone with its end.
                if try !registry.removeEnded(name, force: force), !stopped.contains(name) {
                    throw Registry.unknown(name)
                }
            } catch {
                failures.append((name, error))
            }
        }
        return failures
    }
}

extension Registry {
    fileprivate func isReadable(_ name: String) -> Bool {
        do throws(LaunchError) { return try find(name) != nil } catch { return false }
    }

    /// - Returns: whether there was one.
    fileprivate func removeEnded(_ name: String, force: Bool) throws(LaunchError) -> Bool {
        try Registry.check(name)
        // Before there is a lock: nothing is made for a name that is none.
        guard try translated({ () throws(SystemError) in try openFolder(name) }) != nil else {
            return false
        }
        let lock = try lock(name)
        do throws(LaunchError) {
            if try find(name) == nil { return false }
        } catch {
            guard force else { throw error }
            try removeDamaged(lock)
            return true
        }
        // One without a record of its end has been removed by that.
        guard let record = try settle(lock) else { return true }
        if record.isUnderWay {
            throw LaunchError(
                "\"\(name)\" is running", mend: "'sandbox stop \(name)' ends it, 'sandbox rm -f \(name)' at once")
        }
        try remove(lock)
        return true
    }

    private func removeDamaged(_ lock: borrowing NameLock) throws(LaunchError) {
        let left = try translated { () throws(SystemError) -> [String] in
            guard let folder = try openFolder(lock.name) else { return [] }
            return try Salvage(lock.name, in: folder).end()
        }
        try remove(lock)
        if left.isEmpty { return }
        throw LaunchError(
            "\"\(lock.name)\" is forgotten, but what lives in \(left.joined(separator: ", ")) may be its",
            mend: "look there, and end it by hand if it is")
    }
}
