enum Version {
    static let number = "0.1.0"
    /// Of the manual, as mdoc(7) writes dates.
    static let date = "November 23, 2026"
    static let text = "sandbox \(number)"
}
