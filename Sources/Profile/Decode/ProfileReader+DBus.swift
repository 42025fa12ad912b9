extension ProfileReader {
    func dbus(_ section: Value) throws(ProfileError) -> Profile.DBus {
        var dbus = Profile.DBus()
        dbus.session = try bus(section, "session", prefix: "")
        dbus.system = try bus(section, "system", prefix: "system-")
        return dbus
    }

    private func bus(_ section: Value, _ name: String, prefix: String) throws(ProfileError) -> Profile.Bus {
        func list(_ word: String) throws(ProfileError) -> [String] {
            try texts(section[prefix + word], "dbus.\(prefix)\(word)") ?? []
        }
        var bus = Profile.Bus()
        bus.access = try word(section[name], "dbus.\(name)")
        bus.see = try list("see")
        bus.talk = try list("talk")
        bus.own = try list("own")
        bus.call = try list("call")
        bus.broadcast = try list("broadcast")
        return bus
    }
}
