extension ProfileReader {
    func function(_ section: Value) throws(ProfileError) -> Profile.Function {
        guard let placement: Profile.Function.Placement = try word(section["placement"], "function.placement") else {
            throw ProfileError(
                key: "function", problem: "does not say where the function is",
                mend: "add placement = \"inline\", \"sandbox\" or \"proxy\"")
        }
        var function = Profile.Function(placement)
        function.mode = try word(section["mode"], "function.mode")
        function.classifier = try text(section["classifier"], "function.classifier")
        function.failure = try word(section["fail"], "function.fail") ?? .closed
        for (name, table) in try entries(section["parameters"], "function.parameters") {
            function.parameters[name] = try parameter(table, "function.parameters.\(name)")
        }
        for (name, table) in try entries(section["presets"], "function.presets") {
            var preset: Named<String> = [:]
            for (key, value) in try entries(table, "function.presets.\(name)") {
                preset[key] = try text(value, "function.presets.\(name)")
            }
            function.presets[name] = preset
        }
        function.toSwitch = try texts(section["to-switch"], "function.to-switch") ?? []
        function.toApplication = try texts(section["to-application"], "function.to-application") ?? []
        function.rate.egress = try text(section["rate"]?["egress"], "function.rate.egress")
        function.rate.ingress = try text(section["rate"]?["ingress"], "function.rate.ingress")
        function.rate.burst = try text(section["rate"]?["burst"], "function.rate.burst")
        function.delay = try text(section["delay"], "function.delay")
        function.wire = try word(section["wire"], "function.wire")
        function.tracksConnections = try flag(section["tracking"], "function.tracking") ?? false
        function.drain = try duration(section["drain"], "function.drain")
        return function
    }

    private func parameter(_ table: Value, _ key: String) throws(ProfileError) -> Profile.Function.Parameter {
        guard let type: Profile.Function.Parameter.Sort = try word(table["type"], "\(key).type") else {
            throw ProfileError(key: key, problem: "has no type", mend: "add type = \"word\" or another")
        }
        return Profile.Function.Parameter(
            type, usual: try text(table["default"], "\(key).default"),
            isRequired: try flag(table["required"], "\(key).required") ?? false,
            help: try text(table["help"], "\(key).help"))
    }
}
