import Profile

/// sandbox-profile(5): the profile language, from its schema.
enum ProfilePage {
    static func page() -> ManualPage {
        ManualPage("sandbox-profile", section: 5, summary: "Profile language of sandbox")
    }
}
