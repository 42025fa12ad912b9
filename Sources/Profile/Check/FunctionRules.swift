extension Rules {
    /// What a function says of itself, each of its presets tried.
    mutating func checkFunction() {
        guard let function = profile.function else { return }
        for (name, parameter) in function.parameters.entries {
            let key = "function.parameters.\(name)"
            if let usual = parameter.usual, ParameterValue(usual, parameter.type) == nil {
                error("\(key).default", "\(Form.quote(usual)) is not \(parameter.type.example)", mend: "mend it")
            }
            if parameter.usual != nil, parameter.isRequired {
                error("\(key).required", "the parameter has a default", mend: "take one of them out")
            }
        }
        switch function.placement {
        case .inline: checkInline(function)
        case .sandbox, .proxy: checkPlaced(function)
        }
        let presets: [String?] = [nil] + function.presets.entries.map(\.key)
        for preset in presets {
            guard findings.isEmpty, var reference = FunctionReference("it") else { return }
            reference.preset = preset
            do throws(NotRead) {
                _ = try FunctionResolver(function, reference, incomplete: true).resolved()
            } catch {
                let key = preset.map { DocumentPath(keys: ["function", "presets", $0]).text } ?? "function"
                self.error(key, error.problem, mend: error.mend)
            }
        }
    }

    private mutating func checkInline(_ function: Profile.Function) {
        for key in ["mode", "fail", "wire", "tracking", "drain"] where isSet("function.\(key)") {
            error("function.\(key)", "has no meaning for an inline function", mend: "take it out")
        }
        for key in ["namespaces", "process", "filesystem", "network", "resources"] where isSet(key) {
            error(
                key, "an inline function has no process", mend: "take it out, or set function.placement = \"sandbox\"")
        }
        let holdsBack = !function.rate.isEmpty || function.delay != nil
        if holdsBack, function.classifier != nil {
            error("function.classifier", "rate and delay hold all of a port's traffic", mend: "take one of them out")
        }
        if function.rate.burst != nil, function.rate.egress == nil, function.rate.ingress == nil {
            error("function.rate.burst", "limits nothing", mend: "add egress or ingress")
        }
    }

    private mutating func checkPlaced(_ function: Profile.Function) {
        for key in ["to-switch", "to-application", "rate", "delay"] where isSet("function.\(key)") {
            error(
                "function.\(key)", "only goes with placement = \"inline\"",
                mend: "take it out, or change function.placement")
        }
        if function.placement == .proxy, let mode = function.mode, mode != .proxy {
            error(
                "function.mode", "\(Form.quote(mode.rawValue)) contradicts placement = \"proxy\"", mend: "take it out")
        }
        if function.tracksConnections, function.placement == .proxy || function.mode ?? .bridge != .bridge {
            error("function.tracking", "only goes with placement = \"sandbox\", mode = \"bridge\"", mend: "take it out")
        }
        if function.wire != nil, function.placement == .proxy || function.mode ?? .bridge != .bridge {
            error("function.wire", "only goes with placement = \"sandbox\", mode = \"bridge\"", mend: "take it out")
        }
        if function.tracksConnections, function.wire ?? .bridge != .bridge {
            error("function.wire", "what is tracked has to pass a bridge", mend: "write \"bridge\", or take it out")
        }
        if function.placement == .sandbox, function.drain != nil, !function.tracksConnections {
            error(
                "function.drain",
                "only goes with placement = \"proxy\" or tracking = true: nothing else has begun anything",
                mend: "take it out")
        }
        if function.placement == .sandbox, function.mode == .proxy {
            error("function.mode", "needs placement = \"proxy\"", mend: "change one of them")
        }
    }
}
