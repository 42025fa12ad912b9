import CLinux
import Kernel
import Launch
import Profile
import SandboxKit

extension RunCommand {
    /// Carries out a request, and returns the exit status where the process did not become the command.
    static func perform(_ request: RunRequest) -> Int32 {
        let loaded: LoadedProfile
        do throws(ProfileError) {
            // Where profiles are is looked up only for one that is named.
            let store = request.profiles.isEmpty ? ProfileStore.empty : .ofCaller()
            loaded = try store.load(running: request.profiles, overrides: request.overrides)
        } catch {
            Output.error(error.message)
            return ExitStatus.failure
        }
        do throws(LaunchError) {
            if request.isViewed, !request.isDryRun { return try ViewedRun(request, loaded).run() }
            let launch = request.launch(loaded)
            let plan = try Sandbox.plan(loaded.profile, launch)
            if request.isDryRun { return show(plan, json: request.json) }
            let words = request.commandStart.flatMap { start in linux_arguments().map { $0 + start } }
            let status = try Sandbox.run(plan, launch, arguments: words, shrinks: true, notice: { Output.note($0) })
            if let name = plan.name, request.isDetached { return announce(name) }
            return status
        } catch {
            Output.error(error.line(in: loaded))
            return error.status
        }
    }

    /// The sandbox runs whether or not its name can be told.
    private static func announce(_ name: String) -> Int32 {
        do throws(SystemError) {
            try Output.line(name)
        } catch {
            Output.error(error.message)
        }
        return ExitStatus.success
    }

    /// Prints a plan instead of executing it.
    private static func show(_ plan: LaunchPlan, json: Bool) -> Int32 {
        do throws(SystemError) {
            if json {
                try Output.json(plan.document)
            } else {
                try Output.write(plan.text(width: min(terminalWidth() ?? 100, 120), style: .output))
            }
            return ExitStatus.success
        } catch {
            Output.error(error.message)
            return ExitStatus.failure
        }
    }
}

extension LaunchError {
    /// The error in one line, with the place where its key was set.
    func line(in profile: LoadedProfile) -> String {
        guard let key else { return message }
        let place = profile.provenance(of: key).map { $0.text + ": " } ?? ""
        return "\(place)\(key): \(message)"
    }
}
