import Launch
import Profile
import SandboxKit

extension RunRequest {
    /// What is kept of the line for as long as the sandbox has a record.
    func launch(_ loaded: LoadedProfile) -> LaunchRequest {
        var launch = LaunchRequest(loaded)
        launch.name = name
        launch.profiles = profiles
        launch.command = command
        launch.isDetached = isDetached
        launch.removesRecord = removesRecord
        guard name != nil || isDetached else { return launch }
        launch.directory = currentDirectory()
        launch.environment = environmentOfCaller()
        return launch
    }
}
