/// The manual, made from the commands' own descriptions.
enum Manual {
    /// Every page: one for each top-level command, and the profile language's.
    static func pages() throws -> [ManualPage] {
        let tree = try CommandDescription.tree()
        let commands = tree.subcommands ?? []
        return [rootPage(tree)] + commands.map { commandPage($0, among: commands) } + [ProfilePage.page()]
    }

    private static func rootPage(_ tree: CommandDescription) -> ManualPage {
        var page = ManualPage("sandbox", section: 1, summary: tree.abstract ?? "")
        page.heading("SYNOPSIS")
        page.macro("Nm")
        page.macro("Ar", "command Op Ar argument ...")
        page.macro("Nm")
        page.macro("Fl", "-help | -version")
        let prose = ManualProse.of("")
        page.heading("DESCRIPTION")
        page.paragraphs(prose.details + [tree.discussion ?? ""])
        page.macro("Pp")
        page.prose("The commands are:")
        page.list(
            (tree.subcommands ?? []).map {
                ("Ic \($0.commandName)", ($0.abstract ?? "") + " See sandbox-\($0.commandName)(1).")
            })
        closing(&page, prose, ["sandbox-profile-5"] + (tree.subcommands ?? []).map(\.commandName))
        return page
    }

    private static func commandPage(_ command: CommandDescription, among commands: [CommandDescription]) -> ManualPage {
        var page = ManualPage("sandbox-\(command.commandName)", section: 1, summary: command.abstract ?? "")
        let prose = ManualProse.of(command.commandName)
        let children = command.subcommands ?? []
        page.heading("SYNOPSIS")
        for item in children.isEmpty ? [command] : children {
            let words = children.isEmpty ? item.commandName : "\(command.commandName) \(item.commandName)"
            synopsis(&page, words, item)
        }
        page.heading("DESCRIPTION")
        page.paragraphs([command.discussion ?? command.abstract ?? ""] + prose.details)
        if children.isEmpty {
            options(&page, command)
        } else {
            page.macro("Pp")
            page.prose("The commands are:")
            for child in children {
                page.subheading("\(command.commandName) \(child.commandName)")
                page.paragraphs([child.abstract ?? "", child.discussion ?? ""].filter { !$0.isEmpty })
                let arguments = child.options.filter { !$0.isEverywhere } + child.positionals
                if !arguments.isEmpty { page.list(arguments.map(item)) }
            }
        }
        closing(
            &page, prose,
            ["sandbox", "sandbox-profile-5"] + commands.map(\.commandName).filter { $0 != command.commandName })
        return page
    }

    private static func synopsis(_ page: inout ManualPage, _ words: String, _ command: CommandDescription) {
        page.macro("Nm", "sandbox \(words)")
        for option in command.options where !option.isEverywhere {
            page.macro("Op", flags(option, isShort: true) + (option.isRepeating ? " ..." : ""))
        }
        for argument in command.positionals {
            let value = "Ar \(argument.valueName ?? "argument")" + (argument.isRepeating ? " ..." : "")
            if argument.valueName == "command", argument.isRepeating {
                // All that follows is the command's.
                page.macro("Op", "Fl -")
                let words = "command Op Ar argument ..."
                page.macro(
                    command.commandName == "run" ? "Op" : "Ar", command.commandName == "run" ? "Ar " + words : words)
            } else {
                page.macro(argument.isOptional ? "Op" : "Ar", argument.isOptional ? value : String(value.dropFirst(3)))
            }
        }
    }

    private static func options(_ page: inout ManualPage, _ command: CommandDescription) {
        if command.options.isEmpty { return }
        page.heading("OPTIONS")
        page.list(command.options.map(item))
    }

    private static func item(_ option: CommandDescription.Option) -> (tag: String, text: String) {
        let tag = option.kind == "positional" ? "Ar \(option.valueName ?? "argument")" : flags(option, isShort: false)
        let text = option.abstract ?? ""
        return (tag, option.isRepeating && option.takesValue ? text + " May be given again." : text)
    }

    /// `Fl p , Fl -profile Ns = Ns Ar profile`, or the first name only.
    private static func flags(_ option: CommandDescription.Option, isShort: Bool) -> String {
        let names = (option.names ?? []).sorted { $0.kind == "short" && $1.kind != "short" }
        let chosen = isShort ? Array(names.prefix(1)) : names
        let flags = chosen.map { "Fl " + ($0.kind == "short" ? $0.name : "-" + $0.name) }.joined(separator: " , ")
        return option.takesValue ? flags + " Ar " + mdocArgument(option.valueName ?? "value") : flags
    }

    private static func closing(_ page: inout ManualPage, _ prose: ManualProse, _ own: [String]) {
        page.heading("ENVIRONMENT")
        page.list([
            ("Ev NO_COLOR", "When it is set and not empty, nothing is printed in colour."),
            ("Ev SANDBOX_STATE", "A directory that holds all state, instead of the usual places."),
            ("Ev SANDBOX_CRIU", "The CRIU executable to use."),
        ])
        page.heading("FILES")
        page.list([
            ("Pa ~/.config/sandbox/profiles", "Your profiles, or below XDG_CONFIG_HOME when that is set."),
            ("Pa /etc/sandbox/profiles", "The administrator's profiles."),
            ("Pa /usr/local/share/sandbox/profiles", "The shipped profiles."),
        ])
        page.heading("EXIT STATUS")
        page.list(prose.exit.map { (mdocArgument($0.tag), $0.text) }, width: "125xx")
        page.examples(prose.examples)
        let pages = own.map { name in
            name == "sandbox-profile-5" ? ("sandbox-profile", 5) : (name == "sandbox" ? name : "sandbox-" + name, 1)
        }
        page.seeAlso(pages + prose.seeAlso)
    }
}

extension CommandDescription.Option {
    /// `--help` and `--version`, which every command takes.
    fileprivate var isEverywhere: Bool { texts.contains("--help") || texts.contains("--version") }
}
