extension Profile {
    /// Reads a merged document that the schema has accepted before, such as ``LoadedProfile/merged``.
    public init(document: Value, name: String) throws(ProfileError) {
        var reader = ProfileReader(document) { _ in SourceReference(file: name) }
        self = try reader.profile()
    }
}
