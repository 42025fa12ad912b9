extension Profile.Checkpoint {
    var document: Value {
        let usual = Profile.Checkpoint()
        var section = Entries()
        section.add("enabled", flag: enabled, usual: usual.enabled)
        if tcp != usual.tcp { section.add("tcp", text: tcp.rawValue) }
        section.add("on-clone", texts: onClone)
        return section.value
    }
}
