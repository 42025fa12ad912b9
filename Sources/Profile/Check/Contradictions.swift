extension LoadedProfile {
    /// Keys that cannot hold together: each an error.
    public func contradictions() -> [Finding] { [] }
}
