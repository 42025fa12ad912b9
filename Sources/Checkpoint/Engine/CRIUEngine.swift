import Glibc
public import Launch

/// The program that saves and restores processes. rpc.pb.swift is made of CRIU's own rpc.proto (MIT licence) by
/// `protoc --swift_opt=UseAccessLevelOnImports=true --swift_out=. rpc.proto` with swift-protobuf 1.39.
public struct CRIUEngine: Sendable, Equatable {
    /// Its executable.
    public let path: String

    /// The engine at a path.
    public init(path: String) { self.path = path }

    /// Where `make deps` puts one that works, where the distribution's own does not.
    public static let ownPath = "/usr/local/lib/sandbox/criu/criu"

    /// The one that `SANDBOX_CRIU` names, ours, or the one on PATH.
    public static func find() throws(LaunchError) -> CRIUEngine {
        if let chosen = environment("SANDBOX_CRIU"), !chosen.isEmpty {
            if access(chosen, X_OK) == 0 { return CRIUEngine(path: chosen) }
            throw LaunchError("SANDBOX_CRIU: \(chosen) cannot be executed", mend: "name CRIU 4.2 or newer")
        }
        let folders = (environment("PATH") ?? "").split(separator: ":").map { String($0) } + ["/usr/sbin"]
        for path in [ownPath] + folders.map({ $0 + "/criu" }) where access(path, X_OK) == 0 {
            return CRIUEngine(path: path)
        }
        throw LaunchError("CRIU is not installed", mend: "make deps, or apt-get install criu where it is 4.2 or newer")
    }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// What it says of itself.
    public struct Version: Sendable, Equatable {
        public var major: Int
        public var minor: Int
        public var patch: Int

        /// As CRIU prints it.
        public var text: String { "\(major).\(minor).\(patch)" }
    }

    /// What it can do on this kernel, beside saving and restoring.
    public struct Features: Sendable, Equatable {
        /// Whether the kernel tells which memory was written to, for saving in steps.
        public var tracksMemory = false
        /// Whether memory can be brought in after the restored application has begun.
        public var lazyPages = false
        public var pidfdStore = false
    }

    /// Asks for its version.
    public func version() throws(LaunchError) -> Version {
        var request = criu_req()
        request.type = .version
        return Version(try CRIUService(self).ask(request))
    }

    /// Tries what the kernel lets it do.
    public func features() throws(LaunchError) -> Features { try features { () in } }

    /// - Parameter prepare: what its process does before it becomes CRIU.
    func features(_ prepare: () throws(LaunchError) -> Void) throws(LaunchError) -> Features {
        var request = criu_req()
        request.type = .featureCheck
        request.features.memTrack = true
        request.features.lazyPages = true
        request.features.pidfdStore = true
        let answer = try CRIUService(self, prepare: prepare).ask(request)
        return Features(
            tracksMemory: answer.features.memTrack, lazyPages: answer.features.lazyPages,
            pidfdStore: answer.features.pidfdStore)
    }
}

extension CRIUEngine.Version {
    init(_ answer: criu_resp) {
        let version = answer.version
        self.init(
            major: Int(version.majorNumber), minor: Int(version.minorNumber), patch: Int(version.sublevel))
    }
}
