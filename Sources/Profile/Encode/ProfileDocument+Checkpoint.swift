extension Profile.Checkpoint {
    var document: Value {
        let usual = Profile.Checkpoint()
        var section = Entries()
        section.add("enabled", flag: enabled, usual: usual.enabled)
        if tcp != usual.tcp { section.add("tcp", text: tcp.rawValue) }
        section.add("on-clone", texts: onClone)
        if let every { section.add("every", text: Quantity.durationText(every)) }
        if keep != usual.keep { section.add("keep", integer: keep) }
        if compression != usual.compression { section.add("compression", text: compression.rawValue) }
        section.add("pre-copy", flag: preCopy, usual: usual.preCopy)
        return section.value
    }
}
