import ArgumentParser
import Profile

/// `sandbox switch features`: what this machine can do for switches.
struct SwitchFeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features", abstract: "Try what switches need of the kernel, one by one.",
        discussion: """
            Each feature is made once in a network namespace that ends with the command: what a kernel has been built \
            with cannot be known otherwise. A key or option whose feature does not work is an error, never left out. What \
            does not work is explained below the table; --json tells it of what nothing needs, too.
            """)

    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false

    func run() throws {
        let features = try SwitchFeature.probe()
        if json { return try Output.json(.array(features.map { $0.document })) }
        var table = Table(headings: ["FEATURE", "WORKS", "FOR"])
        for feature in features {
            table.rows.append([feature.name, feature.failure == nil ? "yes" : "no", feature.purpose ?? "-"])
        }
        var text = table.text(width: terminalWidth(), style: .output)
        for feature in features {
            guard let failure = feature.failure, feature.purpose != nil else { continue }
            text += wrapped("\(feature.name): \(printable(failure))", width: terminalWidth() ?? 100, indent: 4) + "\n"
        }
        try Output.write(text)
    }
}
