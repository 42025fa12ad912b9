public import Profile

/// What a named sandbox was asked for, kept so that it can begin anew, and so that what joins it is confined alike.
public struct LaunchRequest: Sendable, Equatable {
    /// `nil`: a detached sandbox gets one made up, another stays unnamed.
    public var name: String?
    /// Names or files of the profiles, as they were given.
    public var profiles: [String] = []
    /// The merged profile.
    public var profile: Value
    /// The command and its arguments; the profile's own where empty.
    public var command: [String] = []
    /// The launcher's environment as environ(7) holds it, from which the profile takes what it keeps.
    public var environment: [String] = []
    /// The launcher's working directory.
    public var directory: String?
    /// Whether the launcher returns once the command has begun.
    public var isDetached = false
    /// Whether nothing is kept once the command has ended.
    public var removesRecord = false
    /// What it is in a chain, for a function.
    var function: FunctionPlace?

    /// A request for a merged profile as a document.
    public init(profile: Value) { self.profile = profile }

    /// A request for profiles that were read from files.
    public init(_ loaded: LoadedProfile) { profile = loaded.merged }

    /// A request for a profile that was made in code.
    public init(_ profile: Profile, name: String? = nil, command: [String] = []) {
        self.profile = profile.document
        self.name = name
        self.command = command
    }
}

extension LaunchRequest {
    /// The request as TOML, the profile as one inline table.
    var text: String {
        var lines = ""
        func put(_ key: String, _ value: Value) { lines += key + " = " + value.toml + "\n" }
        if let name { put("name", .string(name)) }
        put("profiles", .strings(profiles))
        put("command", .strings(command))
        put("environment", .strings(environment))
        if let directory { put("directory", .string(directory)) }
        put("detached", .bool(isDetached))
        put("removes-record", .bool(removesRecord))
        if let function { put("function", function.value) }
        put("profile", profile)
        return lines
    }

    /// The opposite of ``text``; `nil` for what we did not write.
    init?(_ value: Value) {
        let fields = Fields(value)
        guard let profile = value["profile"], let profiles = fields.strings("profiles"),
            let command = fields.strings("command"), let environment = fields.strings("environment"),
            let isDetached = fields.bool("detached"), let removesRecord = fields.bool("removes-record")
        else { return nil }
        self.profile = profile
        self.profiles = profiles
        self.command = command
        self.environment = environment
        self.isDetached = isDetached
        self.removesRecord = removesRecord
        function = value["function"].flatMap { FunctionPlace($0) }
        name = fields.string("name")
        directory = fields.string("directory")
    }
}
