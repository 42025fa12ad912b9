extension Schema {
    /// The manual page profile(5), in the language of mdoc(7).
    public static func manualText(date: String) -> String {
        var page = Page()
        page.macro("Dd \(date)")
        page.macro("Dt PROFILE 5")
        page.macro("Os")
        page.macro("Sh NAME")
        page.macro("Nm profile")
        page.macro("Nd what an application in a sandbox shall see and may do")
        page.macro("Sh DESCRIPTION")
        page.text("A profile is a TOML file.")
        page.text("Its keys are those below; any other is an error.")
        page.text("Each can be set on the command line by \"--set section.key=value\"; \"+=\" adds to a list.")
        page.macro("Pp")
        page.text("A profile adds to those that \"extends\" names, from left to right.")
        page.text("Tables merge, lists append without duplicates, and other values replace earlier ones.")
        page.text(
            "In a list \"!x\" takes x out, in a list of tables { path = \"!x\" }; \"!\" alone takes a value away.")
        page.text("The lists process.command, extends, options and calls are replaced as a whole.")
        page.macro("Pp")
        page.text("Paths are absolute, or begin with \"~/\", \"$HOME\", \"$PWD\" or \"$XDG_…\".")
        page.text("\"*\", \"?\" and \"[…]\" match names.")
        page.text("$PWD is the caller's working directory, and alone is refused where that is, or holds, the home.")
        page.text("Sizes are bytes, or texts such as \"512M\" with the binary units K, M, G and T.")
        for key in root where !key.isSection { page.list([key]) }
        for key in root {
            switch key.kind {
            case .table(let keys):
                page.macro("Ss [\(key.name)]")
                page.describe(key)
                page.list(keys)
            case .map:
                page.macro("Ss [\(key.name)]")
                page.describe(key)
                page.text("Keys are \(Names.limits.joined(separator: ", ")).")
            default: continue
            }
        }
        page.macro("Sh SEE ALSO")
        page.macro("Xr sandbox 1 ,")
        page.macro("Xr sandbox-profile 1")
        return page.source
    }
}

extension Key {
    fileprivate var isSection: Bool {
        switch kind {
        case .table, .map, .unsupported: true
        default: false
        }
    }
}

/// A manual page as it grows.
private struct Page {
    private(set) var source = ""

    mutating func macro(_ line: String) { source += ".\(line)\n" }

    /// A line of text; a macro's dot and a comment's backslash lose their meaning.
    mutating func text(_ line: String) {
        var escaped = ""
        for character in line { escaped += character == "\\" ? "\\e" : String(character) }
        source += (escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" : "") + escaped + "\n"
    }

    /// What a key is for, a line for each sentence.
    mutating func describe(_ key: Key) {
        text(key.summary + ".")
        if let fallback = key.fallback { text("Default: \(fallback).") }
        if let basis = key.basis { text("See \(basis).") }
    }

    mutating func list(_ keys: [Key]) {
        macro("Bl -tag -width Ds")
        for key in keys {
            if case .unsupported = key.kind { continue }
            item(key)
        }
        macro("El")
    }

    private mutating func item(_ key: Key) {
        let example = key.example.isEmpty ? "" : " = " + quoted(key.example)
        macro("It Li \(key.name)\(example)")
        describe(key)
        switch key.kind {
        case .table(let keys), .records(let keys, _): list(keys)
        case .namespaces, .idMapping, .vector, .list, .map, .string, .boolean, .integer, .number, .size, .limit,
            .account, .action, .word, .unsupported:
            break
        }
    }

    /// One argument of a macro: in quotes, so that no word of it is read as a macro.
    private func quoted(_ text: String) -> String {
        var quoted = "\""
        for character in text {
            switch character {
            case "\"": quoted += "\\(dq"
            case "\\": quoted += "\\e"
            default: quoted.append(character)
            }
        }
        return quoted + "\""
    }
}
