import ArgumentParser
import SandboxKit

/// `sandbox chain`: the functions between a running sandbox and its switch.
struct ChainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chain", abstract: "Look at and change the functions between a sandbox and its switch.",
        subcommands: [
            ChainShowCommand.self, ChainInsertCommand.self, ChainRemoveCommand.self, ChainReplaceCommand.self,
            ChainMoveCommand.self,
        ])
}

/// Which sandbox, and which of its interfaces.
struct ChainPlace: ParsableArguments {
    @Option(
        name: .customLong("interface"), parsing: .unconditional,
        help: ArgumentHelp("The interface, as the box calls it; the first with a port without this.", valueName: "name")
    )
    var interface: String?
    @Argument(help: ArgumentHelp("The sandbox.", valueName: "name"), completion: .kind(.sandboxes))
    var name: String

    func change(_ change: ChainChange) throws { try Sandbox(name).changeChain(change, of: interface) }
}

/// `sandbox chain insert`.
struct ChainInsertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "insert", abstract: "Put a function into the chain.",
        discussion: "Without --at it is the last, next to the switch.")

    @OptionGroup var place: ChainPlace
    @Option(
        name: .customLong("at"), parsing: .unconditional,
        help: ArgumentHelp("Its position from 1 on, 1 being next to the application.", valueName: "position"))
    var position: Int?
    @Argument(
        help: ArgumentHelp("NAME[:PRESET][?PARAMETER=VALUE&...].", valueName: "function"),
        completion: .kind(.functions))
    var function: String

    func run() throws { try place.change(.insert(function, at: position)) }
}

/// `sandbox chain remove`.
struct ChainRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Take a function out of the chain.")

    @OptionGroup var place: ChainPlace
    @Argument(
        help: ArgumentHelp("As it is in the chain, its name alone, or its position.", valueName: "function"),
        completion: .kind(.functions))
    var function: String

    func run() throws { try place.change(.remove(function)) }
}

/// `sandbox chain replace`.
struct ChainReplaceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace", abstract: "Put another function in the place of one.")

    @OptionGroup var place: ChainPlace
    @Argument(
        help: ArgumentHelp("As it is in the chain, its name alone, or its position.", valueName: "old"),
        completion: .kind(.functions))
    var old: String
    @Argument(
        help: ArgumentHelp("NAME[:PRESET][?PARAMETER=VALUE&...].", valueName: "new"), completion: .kind(.functions))
    var new: String

    func run() throws { try place.change(.replace(old, with: new)) }
}

/// `sandbox chain move`.
struct ChainMoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move", abstract: "Give a function another position.")

    @OptionGroup var place: ChainPlace
    @Argument(
        help: ArgumentHelp("As it is in the chain, its name alone, or its position.", valueName: "function"),
        completion: .kind(.functions))
    var function: String
    @Argument(help: ArgumentHelp("The new position, from 1 on.", valueName: "position"))
    var position: Int

    func run() throws { try place.change(.move(function, to: position)) }
}
