import Profile

enum ManifestText {
    /// Bytes that a manifest may have.
    static let limit = 64 << 20

    static func document(_ text: String) -> Value? { Value(json: text) }
}
