import Profile

extension Explanation {
    /// What it reaches of the host's message buses.
    var buses: [Statement] {
        profile.buses.all.flatMap { key, _, bus in
            let name = key == "dbus.session" ? "your session's bus" : "the system's bus"
            switch bus.access {
            case nil, .host: return [Statement]()
            case .closed: return [Statement(.confined, "dbus", "It is kept from \(name).")]
            case .filtered: return filtered(bus, name, key)
            }
        }
    }

    private func filtered(_ bus: Profile.Bus, _ name: String, _ key: String) -> [Statement] {
        let listed = bus.rules.filter { !$0.entries.isEmpty }
        let first = Statement(
            .confined, "dbus", "It reaches \(name) through a filter that lets nothing pass but what is listed.")
        if listed.isEmpty { return [first] }
        let lists = listed.map { "\($0.word) \($0.entries.joined(separator: ", "))" }.joined(separator: "; ")
        let strong = (bus.talk + bus.own + bus.call).filter { rule in strongNames.contains { covers(rule, $0) } }
        if strong.isEmpty {
            return [
                first,
                Statement(.medium, "dbus", "On \(name) it may: \(lists).", mend: "take out what it can do without"),
            ]
        }
        return [
            first,
            Statement(
                .high, "dbus",
                "On \(name) it may: \(lists). \(strong.joined(separator: ", ")) starts programs outside.",
                mend: "take that out"),
        ]
    }

    /// Services that run what they are told to run.
    private var strongNames: [String] {
        [
            "org.freedesktop.systemd1", "org.freedesktop.Flatpak", "org.gnome.Shell", "org.kde.KWin",
            "org.freedesktop.PackageKit", "org.freedesktop.PolicyKit1", "org.freedesktop.portal.Flatpak",
            "ca.desrt.dconf",
        ]
    }

    /// Whether a rule's name is `name`, or stands for it.
    private func covers(_ rule: String, _ name: String) -> Bool {
        let own = rule.prefix { $0 != "=" }
        return own.hasSuffix(".*") ? name == own.dropLast(2) || name.hasPrefix(own.dropLast()) : own == name
    }
}
