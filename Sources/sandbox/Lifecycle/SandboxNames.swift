import ArgumentParser
import Launch
import SandboxKit

/// The names that a command on several sandboxes takes, and what it says of those that fail: a line each, and exit
/// status 125 once the others were seen to.
struct SandboxNames: ParsableArguments {
    @Argument(
        help: ArgumentHelp("Names of sandboxes.", valueName: "name"), completion: .kind(.sandboxes))
    var names: [String]

    /// Those that exist, each once.
    func found(_ failed: inout Bool) -> [Sandbox] {
        var found: [Sandbox] = []
        for name in unique {
            do throws(LaunchError) {
                found.append(try Sandbox(name))
            } catch {
                Output.error(error.message)
                failed = true
            }
        }
        return found
    }

    var unique: [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// Calls `body` for each.
    func each(_ body: (Sandbox) throws(LaunchError) -> Void) throws {
        var failed = false
        for sandbox in found(&failed) {
            do throws(LaunchError) {
                try body(sandbox)
            } catch {
                Output.error(error.message)
                failed = true
            }
        }
        if failed { throw ExitCode(ExitStatus.failure) }
    }
}

/// A number of seconds, or a duration such as `500ms` or `1h30m`.
struct Seconds: ExpressibleByArgument, Equatable {
    var value: Double

    init?(argument: String) {
        if let milliseconds = PointInTime.duration(argument) {
            value = Double(milliseconds) / 1000
        } else {
            let isPlain = argument.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2e }
            guard isPlain, let number = Double(argument), number < 1e9 else { return nil }
            value = number
        }
    }
}
