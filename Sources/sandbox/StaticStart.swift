#if !DEBUG
    /// Replaces the Swift runtime's search for its crash reporter, `swift-backtrace`, which no static executable has
    /// beside it: before `main`, the runtime would read /proc/self/exe, look at eight paths, and abort where /proc is
    /// not mounted. nil means "none found". The linker takes this one because it comes before the runtime's archive.
    @_cdecl("swift_copyAuxiliaryExecutablePath")
    func auxiliaryExecutablePath(_ name: UnsafePointer<CChar>?) -> UnsafeMutablePointer<CChar>? { nil }
#endif
