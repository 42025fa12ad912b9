import ArgumentParser
import Checkpoint

/// What `checkpoint` and `migrate` take for copying memory before an application stands still.
struct PreCopyOptions: ParsableArguments {
    @Flag(
        name: .customLong("pre-copy"), inversion: .prefixedNo,
        help: ArgumentHelp(
            "Copy its memory while it runs, until little is written to meanwhile: it stands still for the rest only; else as "
                + "the profile says."))
    var isOn: Bool?
    @Option(
        name: .customLong("rounds"),
        help: ArgumentHelp("The most copies that --pre-copy makes, 1 to 32; else 4.", valueName: "number"))
    var rounds: Int?

    var plan: PreCopyPlan { rounds.map { PreCopyPlan(limit: $0) } ?? PreCopyPlan() }

    func validate() throws {
        guard let rounds else { return }
        if isOn == false { throw ValidationError("--rounds goes without --no-pre-copy") }
        if !PreCopyPlan.limits.contains(rounds) { throw ValidationError("--rounds: \(rounds) is none of 1 to 32") }
    }
}
