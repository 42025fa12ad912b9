import ArgumentParser
import Profile
import SandboxKit

/// `sandbox profile show`: profiles merged, with the source of each value.
struct ProfileShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show profiles merged, and the file and line that each value came from.")

    @Option(name: .of("set"), parsing: .unconditionalSingleValue, help: .of("set"), completion: .of("set"))
    var set: [String] = []
    @Flag(name: .customLong("function"), help: "The names are those of service functions for chains.")
    var function = false
    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false
    @Argument(
        help: ArgumentHelp("Names or files, merged from left to right.", valueName: "profile"),
        completion: .kind(.profiles))
    var profiles: [String]

    func run() throws {
        let overrides = try set.map { text throws(UsageError) in try Override.assignment(text) }
        let loaded = try ProfileStore.ofCaller(functions: function).load(profiles, overrides: overrides)
        if json {
            try Output.json(loaded.document)
            return
        }
        for line in loaded.show().split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            try Output.line(printable(String(line)))
        }
    }
}

extension LoadedProfile {
    /// The files read, the merged profile, and the source of each value by its key.
    fileprivate var document: Value {
        .table([
            ("files", .strings(files.map(\.file))), ("profile", merged),
            ("sources", .table(LoadedProfile.leaves(merged, under: "").map { ($0, source($0)) })),
        ])
    }

    private func source(_ key: String) -> Value { provenance(of: key).map { .string($0.text) } ?? .null }

    /// The paths of all values below tables; a list counts as one value unless it holds tables.
    private static func leaves(_ value: Value, under path: String) -> [String] {
        switch value {
        case .table(let entries) where !entries.isEmpty:
            entries.flatMap {
                leaves($0.value, under: (path.isEmpty ? "" : path + ".") + DocumentPath(keys: [$0.key]).text)
            }
        case .array(let items) where !items.isEmpty:
            items.indices.map { "\(path)[\($0)]" }
        default: path.isEmpty ? [] : [path]
        }
    }
}
