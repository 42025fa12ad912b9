import Kernel
import Launch
import Profile

extension Sandbox {
    /// The picture that goes into a snapshot of the sandbox, for one with a private display; its viewers are sent away,
    /// since a connection that leads out of the box cannot be saved.
    /// - Returns: nil without such a display, or where it cannot be read, of which the caller is told.
    func lastPicture(
        _ record: SandboxRecord, _ profile: Profile, _ options: CheckpointOptions
    ) throws(LaunchError) -> [UInt8]? {
        guard profile.display.server == .private else { return nil }
        if try registry.isPaused(record) {
            options.notice("the snapshot has no picture, because \"\(name)\" is paused")
            return nil
        }
        do throws(LaunchError) {
            return try picture(alone: true)
        } catch {
            options.notice("the snapshot has no picture: \(error.message)")
            return nil
        }
    }
}
