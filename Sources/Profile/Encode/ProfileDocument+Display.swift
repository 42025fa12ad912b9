extension Profile.Display {
    var document: Value {
        let usual = Profile.Display()
        var section = Entries()
        if server != usual.server { section.add("server", text: server.rawValue) }
        if size != usual.size { section.add("size", text: size.text) }
        if windowManager != usual.windowManager { section.add("window-manager", text: windowManager.rawValue) }
        if clipboard != usual.clipboard { section.add("clipboard", text: clipboard.rawValue) }
        if securityContext != usual.securityContext {
            section.add("wayland-security-context", text: securityContext.rawValue)
        }
        section.add("gpu", flag: gpu, usual: usual.gpu)
        section.add("sound", flag: sound, usual: usual.sound)
        return section.value
    }
}
