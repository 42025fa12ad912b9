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
    /// The path from there to the last copy of its memory that was made while it ran; `nil` where none was.
    public var parent: String?
    /// Done while CRIU begins, before it stops any process.
    public var meanwhile: () throws(LaunchError) -> Void = { () throws(LaunchError) in }
    /// Done when its processes stand still, before its network is locked.
    public var locking: () throws(LaunchError) -> Void = { () throws(LaunchError) in }
    /// A socket pair for CRIU's conversation about pages: CRIU's end, and the other one. With it only what is no plain
    /// memory is written to the images, and CRIU ends when all of that was asked for, or nobody is left to ask.
    public var pages: (engine: Int32, own: Int32)?
    /// One that was started for it; not with ``pages``.
    public var started: StartedEngine?
    /// Told CRIU's version before any process stands still.
    public var versioned: (CRIUEngine.Version) -> Void = { _ in }
    /// Whether the box may have gone on elsewhere.
    public var isBehind: @Sendable () -> Bool = { false }
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
    /// - Parameter hand: with ``pages``, hands the snapshot on while they can be asked for.
    /// - Parameter settle: makes the snapshot complete and records it. It is told for how many microseconds the box stood
    ///   still, and when it returns the box ends, unless it goes on.
    public func run(
        _ engine: CRIUEngine, gather: () throws(LaunchError) -> Void,
        hand: (_ frozen: Int) throws(LaunchError) -> Void = { _ in },
        settle: (_ frozen: Int) throws(LaunchError) -> Void
    ) throws(LaunchError) {
        let rollback = try Rollback(root: root, network: network, waiter: waiter)
        var inherited = [images]
        var options: Int32?
        if let pages {
            let file = try Dump.options(pages: pages.engine)
            options = file
            inherited += [pages.engine, file]
        }
        let service = try start(engine, inherited)
        let warden = try watch(service, rollback)
        // Their ends are heard of only when nobody else holds them.
        for number in inherited.dropFirst() { close(number) }
        var isHeld = true
        // The kernel has forgotten the lock by the time that all is done.
        let unlocked = UnlockedNetwork()
        var failure: LaunchError?
        do throws(LaunchError) {
            let begun = try save(service, options: options) { begun throws(LaunchError) in
                do throws(LaunchError) { try gather() } catch {
                    // Nobody asks for pages, and CRIU is not to wait for that.
                    if let pages { shutdown(pages.own, Int32(SHUT_WR)) }
                    throw error
                }
                try hand(monotonicMicroseconds() - begun)
            }
            CrashPoint.pass("saved")
            if pages == nil { try gather() }
            CrashPoint.pass("gathered")
            var moment = monotonicMicroseconds()
            if goesOn {
                isHeld = false
                moment = try rollback.run(unlocked)
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
            do throws(LaunchError) { try rollback.run(isBehind: isBehind()) } catch { failure = failure ?? error }
        }
        do throws(SystemError) { try warden.dismiss() } catch { failure = failure ?? LaunchError(error) }
        unlocked.end()
        if let failure { throw failure }
    }

    private func start(_ engine: CRIUEngine, _ inherited: [Int32]) throws(LaunchError) -> CRIUService {
        if let started { return try started.take(versioned) }
        versioned(try engine.version())
        return try CRIUService(engine, inherited: inherited)
    }

    private func watch(_ service: borrowing CRIUService, _ rollback: Rollback) throws(LaunchError) -> Warden {
        let (isRecorded, finish, abandon, isBehind) = (isRecorded, finish, abandon, isBehind)
        let foreign = [service.descriptor] + (pages.map { [$0.engine, $0.own] } ?? [])
        do throws(SystemError) {
            return try Warden(service.process, foreign: foreign) { goesOn in
                if !goesOn, isRecorded() {
                    kill(rollback.root, SIGKILL)
                    rollback.wakeWaiter()
                    return finish()
                }
                // Nobody is left to tell.
                if !goesOn { _ = try? rollback.run(isBehind: isBehind()) }
                abandon()
            }
        } catch {
            throw LaunchError(error)
        }
    }

    /// - Returns: when the box came to stand still, in microseconds.
    private func save(
        _ service: consuming CRIUService, options: Int32?, hand: (_ begun: Int) throws(LaunchError) -> Void
    ) throws(LaunchError) -> Int {
        let network = network
        var begun = monotonicMicroseconds()
        try service.send(try request(options))
        var trouble: LaunchError?
        do throws(LaunchError) { try meanwhile() } catch { trouble = error }
        let answer = try service.hear { stage throws(LaunchError) in
            // CRIU must hear of it, and undo what it has done by now.
            if let trouble { throw trouble }
            // What comes next is the freezing.
            if stage.name == "pre-dump" { begun = monotonicMicroseconds() }
            if stage.name == "network-lock", network >= 0 {
                try locking()
                do throws(SwitchError) { try NetworkLock.lock(network) } catch { throw LaunchError(error.text) }
            }
            // The images are complete; what follows is the conversation about pages.
            if stage.name == "post-dump", pages != nil { try hand(begun) }
            CrashPoint.pass("CRIU: \(stage.name)")
        }
        if answer.success { return begun }
        throw LaunchError("it cannot be saved: \(complaint(inLog: path + "/" + CRIULog.dump))")
    }

    /// A file in memory with the option that CRIU takes from a file only.
    private static func options(pages: Int32) throws(LaunchError) -> Int32 {
        try LaunchError.wrap { () throws(SystemError) in
            let file = try check("make a file in memory") { memfd_create("criu.conf", UInt32(MFD_CLOEXEC)) }
            try writeText("ps-socket \(pages)\n", to: file, name: "a file in memory")
            return file
        }
    }

    private func request(_ options: Int32?) throws(LaunchError) -> criu_req {
        var request = criu_req()
        request.type = .dump
        request.opts = .common(images: images, log: CRIULog.dump, connections)
        request.opts.pid = root
        request.opts.leaveStopped = true
        if let options {
            request.opts.lazyPages = true
            request.opts.configFile = "/proc/self/fd/\(options)"
        }
        if let parent { request.opts.track(since: parent) }
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
