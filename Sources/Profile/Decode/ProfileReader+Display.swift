extension ProfileReader {
    func display(_ section: Value) throws(ProfileError) -> Profile.Display {
        var display = Profile.Display()
        display.server = try word(section["server"], "display.server") ?? .none
        if let text = try text(section["size"], "display.size") {
            guard let size = Profile.ScreenSize(text: text) else { throw notRead("display.size") }
            display.size = size
        }
        display.windowManager = try word(section["window-manager"], "display.window-manager") ?? .none
        display.clipboard = try word(section["clipboard"], "display.clipboard") ?? .none
        display.securityContext =
            try word(section["wayland-security-context"], "display.wayland-security-context") ?? .preferred
        display.gpu = try flag(section["gpu"], "display.gpu") ?? false
        display.sound = try flag(section["sound"], "display.sound") ?? false
        return display
    }
}
