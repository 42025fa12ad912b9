// Gives a command ten seconds in namespaces of its own, tells what it uses meanwhile, and how it ended:
//   watch-sandbox COMMAND [ARGUMENT...]
import SandboxAsync

var profile = Profile()
profile.namespaces.unshare = [.mount, .pid, .net]
profile.filesystem.readOnly = ["/"]
let request = LaunchRequest(profile, command: Array(CommandLine.arguments.dropFirst()))

let sandbox = try await AsyncSandbox.launch(request)
let watch = Task {
    for try await sample in sandbox.statistics(every: .seconds(1)) {
        print("\(sandbox.name): \(sample.statistics.usage.memory ?? 0) bytes")
    }
}
do { _ = try await sandbox.wait(timeout: .seconds(10)) } catch let error as LaunchError { print(error.message) }
try await sandbox.stop()
try await watch.value
print("\(sandbox.name) ended with \(try await sandbox.record().exitStatus ?? -1)")
try await sandbox.remove()
