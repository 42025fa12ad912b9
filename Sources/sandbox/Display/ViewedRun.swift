import Kernel
import Launch
import Profile
import SandboxKit

/// `sandbox run --view`: a box with its viewer, as one program.
struct ViewedRun {
    private let viewer: WindowViewer
    private let plan: LaunchPlan
    private let launch: LaunchRequest
    /// Whether the box goes on without a viewer.
    private let outlives: Bool

    /// - Throws: before anything has begun, where there is no display to view, or nothing to view it with.
    init(_ request: RunRequest, _ loaded: LoadedProfile) throws(LaunchError) {
        guard loaded.profile.display.server == .private else {
            throw LaunchError(
                key: "display.server", "--view is for a box with a display of its own", mend: "set it to \"private\"")
        }
        var request = request
        outlives = request.isDetached
        request.isDetached = true
        if !outlives, request.name == nil { request.removesRecord = true }
        viewer = try WindowViewer(path: nil)
        launch = request.launch(loaded)
        plan = try Sandbox.plan(loaded.profile, launch)
    }

    /// - Returns: the exit status of the box where it ended first and is known, else 0.
    func run() throws(LaunchError) -> Int32 {
        // Looked at now, because a box without a record leaves nothing to look at.
        let status = try Sandbox.run(plan, launch, shrinks: true)
        guard let name = plan.name, status == 0 else { return status }
        let sandbox = try Sandbox(name)
        do {
            _ = try ViewSession(sandbox: sandbox, viewer: viewer).run()
        } catch let error as LaunchError {
            throw try ended(sandbox, error)
        } catch let error as SystemError {
            throw try ended(sandbox, LaunchError(error))
        } catch {
            throw try ended(sandbox, LaunchError("\(error)"))
        }
        if !outlives { try end(sandbox) }
        return try sandbox.registry.settle(name)?.exitStatus ?? 0
    }

    private func end(_ sandbox: Sandbox) throws(LaunchError) {
        guard let record = try sandbox.registry.settle(sandbox.name), record.isUnderWay else { return }
        try sandbox.stop()
    }

    /// What nobody can view does not go on unseen.
    private func ended(_ sandbox: Sandbox, _ error: LaunchError) throws(LaunchError) -> LaunchError {
        if !outlives { try end(sandbox) }
        return error
    }
}
