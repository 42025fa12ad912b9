import Glibc
import Kernel
public import Launch
import Profile

/// One copying of a box's memory while it runs, or of what it has written to since the copy before. CRIU stops it for as
/// long as it takes to learn what that is, and reads it afterwards; what is written to meanwhile is in the next copy, or
/// in the save.
struct CopyRound {
    /// The box's first process.
    let root: Int32
    /// The directory for the images, empty.
    let images: Int32
    let path: String
    /// The path from there to the copy before; `nil` for the first one.
    let parent: String?
    /// Done by another process when this one is killed, once CRIU has let go of the box.
    let abandon: @Sendable () -> Void

    func run(_ engine: CRIUEngine) throws(LaunchError) {
        let service = try CRIUService(engine, inherited: [images])
        let (process, descriptor, abandon) = (service.process, service.descriptor, abandon)
        let warden = try LaunchError.wrap { () throws(SystemError) in
            try Warden(process, foreign: [descriptor]) { _ in abandon() }
        }
        var failure: LaunchError?
        do throws(LaunchError) {
            if try !service.ask(request).success {
                throw LaunchError(
                    "its memory cannot be copied while it runs: \(complaint(inLog: path + "/" + CRIULog.dump))")
            }
        } catch {
            failure = error
        }
        do throws(SystemError) { try warden.dismiss() } catch { failure = failure ?? LaunchError(error) }
        if let failure { throw failure }
    }

    private var request: criu_req {
        var request = criu_req()
        request.type = .singlePreDump
        request.opts = .common(images: images, log: CRIULog.dump, .established)
        request.opts.pid = root
        request.opts.leaveRunning = true
        // The box goes on before its memory is read.
        request.opts.preDumpMode = .vmRead
        request.opts.track(since: parent)
        return request
    }
}

extension criu_opts {
    /// Has the kernel tell what is written to from now on, and leaves out what was not since an earlier copy.
    mutating func track(since parent: String?) {
        trackMem = true
        if let parent { parentImg = parent }
    }
}

extension CRIUEngine {
    /// - Throws: when memory cannot be copied while an application runs.
    public func requireMemoryTracking() throws(LaunchError) {
        if try features().tracksMemory { return }
        throw LaunchError(
            "memory cannot be copied while the application runs: this kernel does not tell what is written to meanwhile",
            mend: "leave out --pre-copy (checkpoint.pre-copy), or use a kernel with CONFIG_MEM_SOFT_DIRTY")
    }
}
