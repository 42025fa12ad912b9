import Glibc
import Kernel
public import Launch

/// All that is known of the caller's sandboxes at one moment.
public struct Listing: Sendable {
    /// By name.
    public var sandboxes: [SandboxSummary] = []
    /// Names of which nothing can be told, with the reason.
    public var damaged: [(name: String, problem: LaunchError)] = []
}

/// A sandbox in a listing.
public struct SandboxSummary: Sendable, Equatable {
    /// What `sandbox ps` shows: the phase of the record, or paused.
    public enum State: String, Sendable, CaseIterable { case created, running, paused, stopped, checkpointed }

    /// What is known of it.
    public var record: SandboxRecord
    /// Its state at the moment of the listing.
    public var state: State

    /// The application's pid on the host; `nil` when it does not run.
    public var pid: Int32? {
        record.phase == .running ? (record.application ?? record.process)?.pid : nil
    }
}

extension Registry {
    /// Looks at every sandbox, records the ends that nobody has recorded, and lists them by name. What is wrong with one
    /// does not hide the others.
    public func list() throws(LaunchError) -> Listing {
        var listing = Listing()
        for name in try names() {
            switch settleIfFree(name) {
            case .settled(let record), .busy(let record):
                do throws(LaunchError) {
                    listing.sandboxes.append(SandboxSummary(record: record, state: try displayState(of: record)))
                } catch {
                    listing.damaged.append((name, error))
                }
            case .gone: break
            case .failed(let problem): listing.damaged.append((name, problem))
            }
        }
        return listing
    }

    /// Its phase, or that it is paused.
    func displayState(of record: SandboxRecord) throws(LaunchError) -> SandboxSummary.State {
        switch record.phase {
        case .created: .created
        case .running: try isPaused(record) ? .paused : .running
        case .stopped: .stopped
        case .checkpointed: .checkpointed
        }
    }

    /// Whether the processes of a sandbox stand still, frozen by its control group or one above.
    func isPaused(_ record: SandboxRecord) throws(LaunchError) -> Bool {
        if record.groups.isEmpty { return false }
        return try translated { () throws(SystemError) in
            do throws(SystemError) {
                return try Cgroup(groups: record.groups).isFrozen
            } catch {
                // What has ended, or cannot be frozen, is not.
                if error.code == ENOTSUP || error.code == ENOENT || error.code == ENODEV { return false }
                throw error
            }
        }
    }
}

/// What became of an attempt to bring a record up to date without waiting for anybody.
enum Settling {
    case settled(SandboxRecord)
    case gone
    /// Another command is at work on it; the record as it was last written.
    case busy(SandboxRecord)
    case failed(LaunchError)
}

extension Registry {
    func settleIfFree(_ name: String) -> Settling {
        do throws(LaunchError) {
            guard let record = try find(name) else { return .gone }
            guard try isOverdue(record) else { return .settled(record) }
            guard let lock = try lockIfFree(name) else { return .busy(record) }
            return try settle(lock).map { .settled($0) } ?? .gone
        } catch {
            return .failed(error)
        }
    }
}
