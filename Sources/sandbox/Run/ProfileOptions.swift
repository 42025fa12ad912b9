import ArgumentParser

/// The options that say what a box is, for the general parser: names, values and help come from `RunOption.all`.
struct ProfileOptions: ParsableArguments {
    @Option(name: .of("profile"), parsing: .unconditionalSingleValue, help: .of("profile"), completion: .of("profile"))
    var profile: [String] = []
    @Option(name: .of("unshare"), parsing: .unconditionalSingleValue, help: .of("unshare"), completion: .of("unshare"))
    var unshare: [String] = []
    @Option(name: .of("join"), parsing: .unconditionalSingleValue, help: .of("join"), completion: .of("join"))
    var join: [String] = []
    @Option(name: .of("root"), parsing: .unconditional, help: .of("root"), completion: .of("root"))
    var root: String?
    @Option(name: .of("overlay"), parsing: .unconditional, help: .of("overlay"), completion: .of("overlay"))
    var overlay: String?
    @Option(name: .of("bind"), parsing: .unconditionalSingleValue, help: .of("bind"), completion: .of("bind"))
    var bind: [String] = []
    @Option(name: .of("tmpfs"), parsing: .unconditionalSingleValue, help: .of("tmpfs"), completion: .of("tmpfs"))
    var tmpfs: [String] = []
    @Option(
        name: .of("read-only"), parsing: .unconditionalSingleValue, help: .of("read-only"),
        completion: .of("read-only"))
    var readOnly: [String] = []
    @Option(
        name: .of("writable"), parsing: .unconditionalSingleValue, help: .of("writable"), completion: .of("writable"))
    var writable: [String] = []
    @Option(name: .of("hide"), parsing: .unconditionalSingleValue, help: .of("hide"), completion: .of("hide"))
    var hide: [String] = []
    @Option(name: .of("private"), parsing: .unconditionalSingleValue, help: .of("private"), completion: .of("private"))
    var privateAreas: [String] = []
    @Option(name: .of("user"), parsing: .unconditional, help: .of("user"), completion: .of("user"))
    var user: String?
    @Option(name: .of("group"), parsing: .unconditional, help: .of("group"), completion: .of("group"))
    var group: String?
    @Option(name: .of("workdir"), parsing: .unconditional, help: .of("workdir"), completion: .of("workdir"))
    var workdir: String?
    @Option(name: .of("env"), parsing: .unconditionalSingleValue, help: .of("env"), completion: .of("env"))
    var environment: [String] = []
    @Flag(name: .of("clear-env"), help: .of("clear-env"))
    var clearEnvironment = false
    @Option(name: .of("hostname"), parsing: .unconditional, help: .of("hostname"), completion: .of("hostname"))
    var hostname: String?
    @Option(
        name: .of("capabilities"), parsing: .unconditionalSingleValue, help: .of("capabilities"),
        completion: .of("capabilities"))
    var capabilities: [String] = []
    @Option(name: .of("switch"), parsing: .unconditional, help: .of("switch"), completion: .of("switch"))
    var switchName: String?
    @Option(name: .of("attach"), parsing: .unconditional, help: .of("attach"), completion: .of("attach"))
    var attach: String?
    @Option(name: .of("address"), parsing: .unconditionalSingleValue, help: .of("address"), completion: .of("address"))
    var address: [String] = []
    @Option(name: .of("publish"), parsing: .unconditionalSingleValue, help: .of("publish"), completion: .of("publish"))
    var publish: [String] = []
    @Option(name: .of("chain"), parsing: .unconditionalSingleValue, help: .of("chain"), completion: .of("chain"))
    var chain: [String] = []
    @Option(name: .of("set"), parsing: .unconditionalSingleValue, help: .of("set"), completion: .of("set"))
    var set: [String] = []
    @Flag(name: .of("json"), help: .of("json"))
    var json = false

    /// What was given, option by option in the table's order.
    var given: [(option: String, values: [String])] {
        [
            ("profile", profile), ("unshare", unshare), ("join", join), ("root", list(root)),
            ("overlay", list(overlay)), ("bind", bind), ("tmpfs", tmpfs), ("read-only", readOnly),
            ("writable", writable), ("hide", hide), ("private", privateAreas), ("user", list(user)),
            ("group", list(group)), ("workdir", list(workdir)), ("env", environment),
            ("clear-env", clearEnvironment ? [""] : []), ("hostname", list(hostname)),
            ("capabilities", capabilities), ("switch", list(switchName)), ("attach", list(attach)),
            ("address", address), ("publish", publish), ("chain", chain), ("set", set),
            ("json", json ? [""] : []),
        ]
    }

    func request(directory: () -> String) throws(UsageError) -> RunRequest {
        var request = RunRequest()
        for (name, values) in given {
            guard let option = RunOption.named(name) else { throw UsageError("unknown option '--\(name)'") }
            for value in values { try request.apply(option, value, directory: directory) }
        }
        return request
    }
}

func list(_ value: String?) -> [String] { value.map { [$0] } ?? [] }

extension NameSpecification {
    static func of(_ name: String) -> NameSpecification { of(RunOption.named(name), name) }

    static func of(_ option: RunOption?, _ name: String) -> NameSpecification {
        guard let option, let short = option.short else { return .customLong(name) }
        return [.customShort(short, allowingJoined: option.placeholder != nil), .customLong(name)]
    }
}

extension ArgumentHelp {
    static func of(_ name: String) -> ArgumentHelp {
        ArgumentHelp(
            stringLiteral: RunOption.named(name)?.help ?? "", valueName: RunOption.named(name)?.placeholder)
    }

    init(stringLiteral text: String, valueName: String?) {
        self.init(text, valueName: valueName)
    }
}

extension CompletionKind {
    static func of(_ name: String) -> CompletionKind { kind(RunOption.named(name)?.completion ?? .none) }

    static func kind(_ completion: Completion) -> CompletionKind {
        switch completion {
        case .none: .list([])
        case .files: .file()
        case .directories: .directory
        default: .shellCommand("sandbox complete \(completion.rawValue)")
        }
    }
}
