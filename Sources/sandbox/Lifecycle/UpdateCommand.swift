import ArgumentParser
import Profile
import SandboxKit

/// `sandbox update`: other limits for a running sandbox.
struct UpdateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change the limits of a running sandbox.",
        discussion: """
            Takes the keys of the section 'resources' of the profile language; the value '!' lifts a limit. All of the \
            changes take effect at once, or none does. They stay when the sandbox begins again, and 'sandbox inspect' \
            shows them. Memory below what is in use is refused where the kernel cannot take enough back; fewer \
            processes than there are only keep new ones from starting.
            """)

    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A limit, as in resources.memory=256M.", valueName: "key=value"),
        completion: .kind(.resources))
    var set: [String] = []
    @Argument(help: ArgumentHelp("The sandbox.", valueName: "name"), completion: .kind(.sandboxes))
    var name: String

    func validate() throws {
        if set.isEmpty {
            throw UsageError(
                "nothing to change in '\(name)': give --set resources.KEY=VALUE", command: "sandbox update")
        }
    }

    func run() throws {
        let sandbox = try Sandbox(name)
        var changes: [Override] = []
        for text in set { changes.append(try change(text)) }
        try sandbox.update(changes)
    }

    private func change(_ text: String) throws(UsageError) -> Override {
        let change: Override
        do throws(UsageError) {
            change = try Override.assignment(text)
        } catch {
            throw UsageError(error.message, command: "sandbox update")
        }
        // What other programs call it; here it is '!', as everywhere in the profile language.
        if change.value == .string("unlimited") || change.value == .string("max") {
            throw UsageError(
                "\(change.key): a limit is lifted by --set '\(change.key)=!'", command: "sandbox update")
        }
        return change
    }
}
