import Profile

/// sandbox-profile(5): the profile language, from its schema.
enum ProfilePage {
    static func page() -> ManualPage {
        ManualPage(name: "sandbox-profile", section: 5, text: Schema.manualText(date: Version.date))
    }
}
