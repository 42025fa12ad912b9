import Launch
import Profile

extension RunCommand {
    /// Carries out a request, and returns the exit status where the process did not become the command.
    static func perform(_ request: RunRequest) -> Int32 {
        do throws(ProfileError) {
            let loaded = try ProfileSearch.load(request.profiles, request.overrides)
            // CALL SITE: the launcher takes over here with loaded.profile, request.command (argv from
            // request.commandStart on), request.name, request.isDryRun, request.json and request.removesRecord.
            _ = loaded
            Output.error("nothing launches yet")
            return ExitStatus.failure
        } catch {
            Output.error(error.message)
            return ExitStatus.failure
        }
    }
}
