public import Launch

/// CRIU was asked for its version: it starts while this process does something else.
public final class VersionQuestion {
    private var service: CRIUService?

    init(_ engine: CRIUEngine) throws(LaunchError) {
        let service = try CRIUService(engine)
        var request = criu_req()
        request.type = .version
        try service.send(request)
        self.service = consume service
    }

    // Nobody wants to know any more, but its process is to be waited for.
    deinit { if service != nil { _ = try? answer() } }

    /// Waits for the answer, once.
    public func answer() throws(LaunchError) -> CRIUEngine.Version {
        guard let service = service.take() else { throw LaunchError("CRIU was asked for its version once") }
        let version = try service.hear().version
        return CRIUEngine.Version(
            major: Int(version.majorNumber), minor: Int(version.minorNumber), patch: Int(version.sublevel))
    }
}
