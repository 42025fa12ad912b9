extension Profile {
    /// The profile as a merged document: what differs from an empty one, and nothing else.
    public var document: Value {
        var root = Entries()
        root.add("description", text: description)
        root.add("namespaces", section: namespaces.document)
        root.add("process", section: process.document)
        var bounds = Entries()
        for (name, limit) in limits.entries { bounds.add(name, limit.document) }
        root.add("limits", section: bounds.value)
        root.add("filesystem", section: filesystem.document)
        root.add("security", section: security.document)
        root.add("resources", section: resources.document)
        root.add("network", section: network.document)
        root.add("lifecycle", section: lifecycle.document)
        root.add("checkpoint", section: checkpoint.document)
        root.add("display", section: display.document)
        root.add("dbus", section: dbus.document)
        if let function { root.add("function", section: function.document) }
        return root.value
    }

    /// Reads what ``document`` gives; `name` is what errors call it. Anything that a profile file could not say is
    /// refused, and so is `extends`.
    public init(document: Value, name: String) throws(ProfileError) {
        let layer = Layer(document, file: name)
        if let first = Validation(layer).findings.first { throw first.error }
        guard document["extends"] == nil else {
            throw ProfileError(
                place: layer.reference, key: "extends", problem: "this is no file of the search path",
                mend: "name the profile with -p")
        }
        self = try LoadedProfile([layer]).profile
    }
}

extension Profile.Namespaces {
    fileprivate var document: Value {
        var section = Entries()
        var kinds: [String] = []
        for kind in NamespaceKind.allCases where unshare.contains(kind) { kinds.append(kind.rawValue) }
        section.add("unshare", texts: kinds)
        var targets = Entries()
        for kind in NamespaceKind.allCases {
            switch join[kind] {
            case .path(let path): targets.add(kind.rawValue, text: path)
            case .sandbox(let name): targets.add(kind.rawValue, text: "sandbox:" + name)
            case nil: continue
            }
        }
        section.add("join", section: targets.value)
        var offsets = Entries()
        offsets.add("monotonic", integer: monotonicOffset)
        offsets.add("boottime", integer: boottimeOffset)
        section.add("time-offset", section: offsets.value)
        return section.value
    }
}

extension Profile.Limit {
    /// One number for both sides, or a table of the two.
    var document: Value {
        if soft == hard { return Profile.Limit.document(soft) }
        return .table([("soft", Profile.Limit.document(soft)), ("hard", Profile.Limit.document(hard))])
    }

    private static func document(_ bound: UInt64?) -> Value { bound.map { .number($0) } ?? .string("unlimited") }
}

extension Profile.Resources {
    fileprivate var document: Value {
        var section = Entries()
        section.add("memory", number: memory)
        section.add("memory-high", number: memoryHigh)
        section.add("memory-swap", number: memorySwap)
        if let cpu { section.add("cpu", .double(cpu)) }
        section.add("cpu-weight", integer: cpuWeight)
        section.add("pids", integer: pids)
        section.add("cpuset", text: cpuset)
        section.add("io-weight", integer: ioWeight)
        return section.value
    }
}

extension Profile.Lifecycle {
    fileprivate var document: Value {
        let usual = Profile.Lifecycle()
        var section = Entries()
        if restart != usual.restart { section.add("restart", text: restart.text) }
        if restartDelay != usual.restartDelay {
            section.add("restart-delay", text: Quantity.durationText(restartDelay))
        }
        if stopSignal != usual.stopSignal { section.add("stop-signal", text: stopSignal) }
        if stopTimeout != usual.stopTimeout {
            // What is no number of milliseconds is no duration either, and will be refused when it is read.
            let milliseconds = Int(exactly: (stopTimeout * 1000).rounded())
            section.add("stop-timeout", milliseconds.map { .string(Quantity.durationText($0)) } ?? .double(stopTimeout))
        }
        section.add("record-exit", flag: recordsExit, usual: usual.recordsExit)
        section.add("log-size", number: logSize)
        return section.value
    }
}
