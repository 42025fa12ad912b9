import CLinux
import Glibc
import Kernel
public import Launch
public import Profile
import Switching

/// What becomes of TCP connections.
public typealias Connections = Profile.Connections

/// One saving of a box's processes into a directory. They stand still afterwards: the caller lets them go on or ends
/// them.
public struct Dump {
    /// The box's first process.
    public var root: Int32
    /// A descriptor of the directory for the images, empty.
    public var images: Int32
    /// The path of that directory, which must hold from now on.
    public var path: String
    public var files: [ExternalFile] = []
    /// Its mounts, where it has a mount namespace.
    public var mounts: BoxMounts?
    /// A descriptor of its network namespace where it has one of its own, else -1.
    public var network: Int32 = -1
    public var connections = Connections.established
    /// The process that waits for the box outside.
    public var waiter: Int32
    /// The freezer of version 1 that it is paused by.
    public var freezer: String?
    /// Whether the box goes on as soon as it is saved.
    public var goesOn = false
    /// Done while CRIU begins, before it stops any process.
    public var meanwhile: () throws(LaunchError) -> Void = { () throws(LaunchError) in }
    /// Asked by another process when this one is killed: whether the snapshot is recorded, so that the box is to end.
    public var isRecorded: @Sendable () -> Bool = { false }
    /// Done by that process then: ends the box for good, or takes away what there is of a snapshot.
    public var finish: @Sendable () -> Void = {}
    public var abandon: @Sendable () -> Void = {}

    public init(root: Int32, waiter: Int32, images: Int32, path: String) {
        (self.root, self.waiter, self.images, self.path) = (root, waiter, images, path)
    }

    /// CRIU's name for a box's network namespace on restore.
    static let networkKey = "box-network"

    /// Saves. What fails before the snapshot is recorded lets the box go on.
    ///
    /// - Parameter gather: called while the box stands still, to learn of it what must hold for one moment.
    /// - Parameter settle: makes the snapshot complete and records it. It is told for how many microseconds the box stood
    ///   still, and when it returns the box ends, unless it goes on.
    public func run(
        _ engine: CRIUEngine, gather: () throws(LaunchError) -> Void,
        settle: (_ frozen: Int) throws(LaunchError) -> Void
    ) throws(LaunchError) {
        let rollback = try Rollback(root: root, network: network, waiter: waiter)
        let service = try CRIUService(engine, inherited: [images])
        let warden = try watch(service, rollback)
        var isHeld = true
        var failure: LaunchError?
        do throws(LaunchError) {
            let begun = try save(service)
            CrashPoint.pass("saved")
            try gather()
            CrashPoint.pass("gathered")
            var moment = monotonicMicroseconds()
            if goesOn {
                isHeld = false
                moment = try rollback.run()
                warden.note()
                CrashPoint.pass("goes on")
            }
            try settle(moment - begun)
            CrashPoint.pass("settled")
        } catch {
            failure = error
        }
        if failure == nil, !goesOn {
            kill(root, SIGKILL)
            // It takes the end for an end only when it is awake.
            rollback.wakeWaiter()
            CrashPoint.pass("ended")
        } else if isHeld {
            do throws(LaunchError) { try rollback.run() } catch { failure = failure ?? error }
        }
        do throws(SystemError) { try warden.dismiss() } catch { failure = failure ?? LaunchError(error) }
        if let failure { throw failure }
    }

    private func watch(_ service: borrowing CRIUService, _ rollback: Rollback) throws(LaunchError) -> Warden {
        let (isRecorded, finish, abandon) = (isRecorded, finish, abandon)
        do throws(SystemError) {
            return try Warden(service.process, foreign: [service.descriptor]) { goesOn in
                if !goesOn, isRecorded() {
                    kill(rollback.root, SIGKILL)
                    rollback.wakeWaiter()
                    return finish()
                }
                // Nobody is left to tell.
                if !goesOn { _ = try? rollback.run() }
                abandon()
            }
        } catch {
            throw LaunchError(error)
        }
    }

    /// - Returns: when the box came to stand still, in microseconds.
    private func save(_ service: consuming CRIUService) throws(LaunchError) -> Int {
        let network = network
        var begun = monotonicMicroseconds()
        try service.send(try request())
        var trouble: LaunchError?
        do throws(LaunchError) { try meanwhile() } catch { trouble = error }
        let answer = try service.hear { stage throws(LaunchError) in
            // CRIU must hear of it, and undo what it has done by now.
            if let trouble { throw trouble }
            // What comes next is the freezing.
            if stage.name == "pre-dump" { begun = monotonicMicroseconds() }
            if stage.name == "network-lock", network >= 0 {
                do throws(SwitchError) { try NetworkLock.lock(network) } catch { throw LaunchError(error.text) }
            }
            CrashPoint.pass("CRIU: \(stage.name)")
        }
        if answer.success { return begun }
        throw LaunchError("it cannot be saved: \(complaint(inLog: path + "/" + CRIULog.dump))")
    }

    private func request() throws(LaunchError) -> criu_req {
        var request = criu_req()
        request.type = .dump
        request.opts = .common(images: images, log: CRIULog.dump, connections)
        request.opts.pid = root
        request.opts.leaveStopped = true
        // Of a pipe it is told on restore only.
        request.opts.external = files.map { $0.key }.filter { $0.hasPrefix("file[") }
        if network >= 0 {
            let inode = try LaunchError.wrap { () throws(SystemError) in
                try FileStatus(network, name: "its network namespace").inode
            }
            request.opts.external.append("net[\(inode)]:\(Dump.networkKey)")
        }
        request.opts.skipMnt = mounts?.skipped ?? []
        request.opts.external += (mounts?.foreign ?? []).map { "mnt[\($0.path)]:\($0.key)" }
        if let freezer { request.opts.freezeCgroup = freezer }
        return request
    }
}

enum CRIULog {
    static let dump = "dump.log"
    static let restore = "restore.log"
}

extension criu_opts {
    /// What a dump and its restore must agree on.
    static func common(images: Int32, log: String, _ connections: Connections) -> criu_opts {
        var options = criu_opts()
        options.imagesDirFd = images
        options.workDirFd = images
        options.logFile = log
        options.logLevel = 2
        options.notifyScripts = true
        options.tcpEstablished = connections == .established
        options.tcpClose = connections == .close
        options.fileLocks = true
        options.linkRemap = true
        options.ghostLimit = 100 << 20
        options.manageCgroups = true
        options.manageCgroupsMode = .ignore
        options.autoExtMnt = true
        options.extMasters = true
        options.extSharing = true
        options.networkLock = .skip
        return options
    }
}

extension LaunchError {
    static func wrap<Result: ~Copyable>(_ body: () throws(SystemError) -> Result) throws(LaunchError) -> Result {
        do throws(SystemError) { return try body() } catch { throw LaunchError(error) }
    }
}
