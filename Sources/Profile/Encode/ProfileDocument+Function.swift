extension Profile.Function {
    var document: Value {
        var table = Entries()
        table.add("placement", text: placement.rawValue)
        table.add("mode", text: mode?.rawValue)
        table.add("classifier", text: classifier)
        if failure != .closed { table.add("fail", text: failure.rawValue) }
        var known = Entries()
        for (name, parameter) in parameters.entries { known.add(name, parameter.document) }
        table.add("parameters", section: known.value)
        var named = Entries()
        for (name, preset) in presets.entries {
            named.add(name, .table(preset.entries.map { ($0.key, .string($0.value)) }))
        }
        table.add("presets", section: named.value)
        table.add("to-switch", texts: toSwitch)
        table.add("to-application", texts: toApplication)
        var limits = Entries()
        limits.add("egress", text: rate.egress)
        limits.add("ingress", text: rate.ingress)
        limits.add("burst", text: rate.burst)
        table.add("rate", section: limits.value)
        table.add("delay", text: delay)
        table.add("wire", text: wire?.rawValue)
        table.add("tracking", flag: tracksConnections, usual: false)
        table.add("drain", text: drain.map { Quantity.durationText($0) })
        return table.value
    }
}

extension Profile.Function.Parameter {
    fileprivate var document: Value {
        var table = Entries()
        table.add("type", text: type.rawValue)
        table.add("default", text: usual)
        table.add("required", flag: isRequired, usual: false)
        table.add("help", text: help)
        return table.value
    }
}
