import ArgumentParser
import Profile
import SandboxKit

/// `sandbox profile list`: what profiles there are.
struct ProfileListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the profiles along the search path.",
        discussion: "A profile that one of the same name comes before is listed with --all.")

    @Flag(name: [.customShort("a"), .customLong("all")], help: "Profiles that others shadow, too.")
    var all = false
    @Flag(name: .customLong("function"), help: "Service functions for chains, instead of profiles.")
    var function = false
    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false

    func run() throws {
        let profiles = try ProfileStore.ofCaller(functions: function).list().filter { all || !$0.isShadowed }
        if json {
            try Output.json(Value.array(profiles.map(\.document)))
            return
        }
        let rows = profiles.map { [$0.name, $0.path, $0.problem.map { "unreadable: " + $0 } ?? $0.description ?? ""] }
        try Output.write(
            Table(headings: ["NAME", "FILE", "DESCRIPTION"], rows: rows).text(width: terminalWidth(), style: .output))
    }
}

extension ProfileSummary {
    fileprivate var document: Value {
        .table([
            ("name", .string(name)), ("path", .string(path)),
            ("description", description.map { .string($0) } ?? .null), ("shadowed", .bool(isShadowed)),
            ("problem", problem.map { .string($0) } ?? .null),
        ])
    }
}
