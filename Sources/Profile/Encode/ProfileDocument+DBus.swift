extension Profile.DBus {
    var document: Value {
        var section = Entries()
        for (name, prefix, bus) in [("session", "", session), ("system", "system-", system)] {
            section.add(name, text: bus.access?.rawValue)
            for (word, entries) in bus.rules { section.add(prefix + word, texts: entries) }
        }
        return section.value
    }
}
