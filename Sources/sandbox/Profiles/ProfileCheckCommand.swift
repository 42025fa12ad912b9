import ArgumentParser
import Glibc
import Launch
import Profile
import SandboxKit

/// `sandbox profile check`: everything that is wrong with profiles, or of no effect.
struct ProfileCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say all that is wrong with profiles, or of no effect.",
        discussion: """
            Unknown keys, wrong types, contradictions, rules that change nothing, paths that do not exist. Without an \
            argument every profile along the search path is checked.
            """)

    @Flag(name: .customLong("function"), help: "The names are those of service functions for chains.")
    var function = false
    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false
    @Argument(
        help: ArgumentHelp("Names or files, each checked by itself.", valueName: "profile"),
        completion: .kind(.profiles))
    var profiles: [String] = []

    func run() throws {
        let store = ProfileStore.ofCaller(functions: function)
        // A shadowed file can be had by its path only.
        let names = profiles.isEmpty ? try store.list().map { $0.isShadowed ? $0.path : $0.name } : profiles
        let host = try HostFacts.current()
        let exists = { (path: String) in host.mayReach(path) { access($0, F_OK) == 0 } }
        let checked = names.map { ($0, store.check([$0], exists: exists)) }
        if json {
            try Output.json(Value.array(checked.map { name, findings in document(name, findings) }))
        } else {
            for (name, findings) in checked {
                for finding in findings { try Output.line(printable(finding.message)) }
                if findings.isEmpty { try Output.line(printable(name) + ": good") }
            }
        }
        let isBad = checked.contains { $0.1.contains { $0.severity == .error } }
        if isBad { throw ExitCode(ExitStatus.negative) }
    }

    private func document(_ name: String, _ findings: [Finding]) -> Value {
        .table([("profile", .string(name)), ("findings", .array(findings.map(document)))])
    }

    private func document(_ finding: Finding) -> Value {
        .table([
            ("severity", .string(finding.severity.rawValue)),
            ("file", finding.place.map { .string($0.file) } ?? .null),
            ("line", finding.place?.line.map { .integer($0) } ?? .null),
            ("column", finding.place?.column.map { .integer($0) } ?? .null),
            ("key", finding.key.map { .string($0) } ?? .null), ("text", .string(finding.text)),
            ("mend", finding.mend.map { .string($0) } ?? .null),
        ])
    }
}
