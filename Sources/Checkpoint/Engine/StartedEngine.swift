public import Launch

/// A CRIU that starts while this process does something else, for one saving. It is asked for its version first.
public final class StartedEngine {
    private var service: CRIUService?

    /// - Parameter images: a descriptor of the directory for the images.
    public init(_ engine: CRIUEngine, _ notes: KernelNotes?, images: Int32) throws(LaunchError) {
        let service = try CRIUService(engine, inherited: [images]) { () in notes?.show() }
        var request = criu_req()
        request.type = .version
        request.keepOpen = true
        try service.send(request)
        self.service = consume service
    }

    // Nobody wants anything of it any more: it ends with the conversation, and is to be waited for.
    deinit { service.take()?.end() }

    /// Gives the conversation away, once.
    /// - Parameter versioned: told CRIU's version.
    func take(_ versioned: (CRIUEngine.Version) -> Void) throws(LaunchError) -> CRIUService {
        guard let service = service.take() else { throw LaunchError("a CRIU saves once") }
        let answer: criu_resp
        do throws(LaunchError) { answer = try service.hearOne() } catch {
            service.end()
            throw error
        }
        versioned(CRIUEngine.Version(answer))
        return service
    }
}
