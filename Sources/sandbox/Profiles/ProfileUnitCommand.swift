import ArgumentParser
import Glibc
import Launch
import Profile
import SandboxKit

/// `sandbox profile unit`: a profile as a service of systemd.
struct ProfileUnitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unit", abstract: "Print a systemd unit that runs a profile as a service.",
        discussion: """
            The service runs the profile's own command as root, in the foreground of a box that has the profile's name. \
            systemd restarts and stops it as the profile's [lifecycle] says. Its standard output goes to the journal. \
            Where the profile's paths hold $PWD, that is the directory in which the unit was printed.
            """)

    @Option(
        name: [.customShort("n"), .customLong("name")],
        help: ArgumentHelp("The name of the sandbox; the profile's when absent.", valueName: "name"))
    var name: String?
    @Option(name: .of("set"), parsing: .unconditionalSingleValue, help: .of("set"), completion: .of("set"))
    var set: [String] = []
    @Argument(help: ArgumentHelp("A name or a file.", valueName: "profile"), completion: .kind(.profiles))
    var profile: String

    func run() throws { try Output.write(unit().text()) }

    private func unit() throws -> ServiceUnit {
        let overrides = try set.map { text throws(UsageError) in try Override.assignment(text) }
        let loaded = try ProfileStore.ofCaller().load([profile], overrides: overrides)
        if loaded.profile.process.command.isEmpty {
            throw UsageError(
                "the profile \(printable(profile)) has no command for a service to run; give it process.command, or "
                    + "--set 'process.command=[\"PROGRAM\", \"ARGUMENT\"]'", command: Self.line)
        }
        guard let executable = OwnExecutable.path(), executable.hasPrefix("/") else {
            throw UsageError("the path of sandbox itself is not known", command: Self.line)
        }
        var unit = ServiceUnit(
            executable: executable, selection: try selection(of: loaded, overrides), name: try sandboxName(),
            settings: set, profile: loaded.profile)
        if let folder = environmentVariable("SANDBOX_PROFILES"), folder.hasPrefix("/") {
            unit.environment = [("SANDBOX_PROFILES", folder)]
        }
        if namesDirectory(loaded.merged) { unit.directory = currentDirectory() }
        unit.hasManual = hasManual(of: executable)
        return unit
    }

    private static let line = "sandbox profile unit"

    private func sandboxName() throws(UsageError) -> String {
        let file = profile.split(separator: "/").last.map { String($0) } ?? profile
        let name = self.name ?? (file.hasSuffix(".toml") ? String(file.dropLast(5)) : file)
        guard Registry.isName(name) else {
            throw UsageError(
                "\(printable(name)) can be no sandbox's name; give one of letters, digits, '.', '_' and '-' with --name",
                command: Self.line)
        }
        return name
    }

    /// How a service, which has no home, finds the same profile: by its name, or else by its file.
    private func selection(of loaded: LoadedProfile, _ overrides: [Override]) throws -> String {
        let services = ProfileStore.ofServices()
        let files = loaded.files.map(\.file)
        if !ProfileStore.isPath(profile), let found = try? services.load([profile], overrides: overrides),
            found.files.map(\.file) == files
        {
            return profile
        }
        guard let own = files.last else { throw UsageError("no file holds the profile", command: Self.line) }
        let below = own.hasPrefix("./") ? String(own.dropFirst(2)) : own
        let path = own.hasPrefix("/") ? own : currentDirectory() + "/" + below
        let found = try services.load([path], overrides: overrides)
        let others = zip(found.files.map(\.file), files).dropLast()
        guard found.files.count == files.count, others.allSatisfy({ $0 == $1 }) else {
            throw UsageError(
                "\(printable(own)) extends profiles of your own, where a service does not look; put them into "
                    + "/etc/sandbox/profiles", command: Self.line)
        }
        return path
    }

    /// Whether a path of the profile begins with `$PWD`.
    private func namesDirectory(_ value: Value) -> Bool {
        switch value {
        case .string(let text): text == "$PWD" || text.hasPrefix("$PWD/")
        case .array(let items): items.contains(where: namesDirectory)
        case .table(let entries): entries.contains { namesDirectory($0.value) }
        default: false
        }
    }

    /// Where man(1) looks without being told.
    private func hasManual(of executable: String) -> Bool {
        for prefix in ["/usr/local", "/usr"] where executable == prefix + "/bin/sandbox" {
            return access(prefix + "/share/man/man1/sandbox.1", R_OK) == 0 && findProgram("man") != nil
        }
        return false
    }
}
