public import Profile

extension Manifest {
    /// The manifest as a document.
    public var document: Value {
        var table: [(key: String, value: Value)] = [
            ("format", .integer(Manifest.format)), ("id", .string(id)), ("sandbox", .string(sandbox)),
            ("created", .integer(created)), ("frozen", .optional(frozen)), ("duration", .optional(duration)),
            ("automatic", .bool(isAutomatic)), ("tcp", .string(tcp.rawValue)), ("parent", .optional(parent)),
            ("command", .strings(command)),
            ("namespaces", .strings(namespaces.map { $0.rawValue })), ("versions", versions.document),
        ]
        table.append(("rounds", .array(rounds.map { $0.document })))
        table.append(("interfaces", .array(interfaces.map { $0.document })))
        table.append(("mounts", .array(mounts.map { $0.document })))
        table.append(("externals", .array(externals.map { $0.document })))
        table.append(("stdio", .array(stdio.map { $0.document })))
        table.append(("processes", .array(processes.map { $0.document })))
        table.append(("contents", contents.document))
        table.append(("upper", .optional(upper)))
        table.append(("profile-digest", .string(Digest.of(profile.compactJSON))))
        table.append(("profile", profile))
        table.append(("request", request))
        table.append(("plan", plan))
        table.append(("files", .array(files.map { $0.document })))
        return .table(table)
    }

    /// Reads what ``document`` gives.
    /// - Throws: what is missing, of the wrong type, or not what its digest says.
    public init(_ document: Value) throws(SnapshotError) {
        let fields = ManifestFields(document)
        let format = try fields.integer("format")
        guard format == Manifest.format else {
            throw SnapshotError(
                "the manifest is of format \(format)", mend: "this version reads format \(Manifest.format)")
        }
        self.init(
            id: try fields.text("id"), sandbox: try fields.text("sandbox"), created: try fields.integer("created"),
            profile: try fields.value("profile"), request: try fields.value("request"),
            plan: try fields.value("plan"))
        frozen = try fields.optionalInteger("frozen")
        duration = try fields.optionalInteger("duration")
        isAutomatic = try fields.flag("automatic")
        tcp = try fields.word("tcp")
        parent = try fields.optionalText("parent")
        if fields.has("rounds") { for item in try fields.items("rounds") { rounds.append(try Round(item)) } }
        command = try fields.texts("command")
        for word in try fields.texts("namespaces") {
            guard let kind = NamespaceKind(rawValue: word) else { throw ManifestFields.damaged("namespaces") }
            namespaces.append(kind)
        }
        versions = try Versions(try fields.fields("versions"))
        for item in try fields.items("interfaces") { interfaces.append(try Interface(item)) }
        for item in try fields.items("mounts") { mounts.append(try Mount(item)) }
        for item in try fields.items("externals") { externals.append(try External(item)) }
        for item in try fields.items("stdio") { stdio.append(try Stream(item)) }
        for item in try fields.items("processes") { processes.append(try Process(item)) }
        contents = try Contents(try fields.fields("contents"))
        upper = try fields.optionalText("upper")
        for item in try fields.items("files") { files.append(try File(item)) }
        guard try fields.text("profile-digest") == Digest.of(profile.compactJSON) else {
            throw SnapshotError("the profile in the manifest is not the one that the snapshot was made of")
        }
    }
}

extension Value {
    static func optional(_ text: String?) -> Value { text.map { .string($0) } ?? .null }
    static func optional(_ number: Int?) -> Value { number.map { .integer($0) } ?? .null }
    /// 64 bits, more than a JSON reader's integer may hold.
    static func bits(_ bits: UInt64) -> Value { .string(String(bits, radix: 16)) }
    static func numbers(_ list: [UInt32]) -> Value { .array(list.map { .integer(Int($0)) }) }
}

/// Reads a table of a manifest.
struct ManifestFields {
    private let table: Value

    init(_ table: Value) { self.table = table }

    static func damaged(_ key: String) -> SnapshotError { SnapshotError("the manifest has no proper \"\(key)\"") }

    func value(_ key: String) throws(SnapshotError) -> Value {
        guard let value = table[key] else { throw ManifestFields.damaged(key) }
        return value
    }

    func has(_ key: String) -> Bool { table[key] != nil }

    func text(_ key: String) throws(SnapshotError) -> String {
        guard case .string(let text)? = table[key] else { throw ManifestFields.damaged(key) }
        return text
    }

    func integer(_ key: String) throws(SnapshotError) -> Int {
        guard case .integer(let number)? = table[key] else { throw ManifestFields.damaged(key) }
        return number
    }

    func flag(_ key: String) throws(SnapshotError) -> Bool {
        guard case .bool(let flag)? = table[key] else { throw ManifestFields.damaged(key) }
        return flag
    }

    func optionalText(_ key: String) throws(SnapshotError) -> String? {
        if case .null = try value(key) { return nil }
        return try text(key)
    }

    func optionalInteger(_ key: String) throws(SnapshotError) -> Int? {
        if case .null = try value(key) { return nil }
        return try integer(key)
    }

    func bits(_ key: String) throws(SnapshotError) -> UInt64 {
        guard let bits = UInt64(try text(key), radix: 16) else { throw ManifestFields.damaged(key) }
        return bits
    }

    func optionalBits(_ key: String) throws(SnapshotError) -> UInt64? {
        if case .null = try value(key) { return nil }
        return try bits(key)
    }

    func identifier(_ key: String) throws(SnapshotError) -> UInt32 {
        guard let number = UInt32(exactly: try integer(key)) else { throw ManifestFields.damaged(key) }
        return number
    }

    func word<Word: RawRepresentable<String>>(_ key: String) throws(SnapshotError) -> Word {
        guard let word = Word(rawValue: try text(key)) else { throw ManifestFields.damaged(key) }
        return word
    }

    func fields(_ key: String) throws(SnapshotError) -> ManifestFields { ManifestFields(try value(key)) }

    func items(_ key: String) throws(SnapshotError) -> [ManifestFields] {
        guard case .array(let items)? = table[key] else { throw ManifestFields.damaged(key) }
        return items.map { ManifestFields($0) }
    }

    func texts(_ key: String) throws(SnapshotError) -> [String] {
        guard case .array(let items)? = table[key] else { throw ManifestFields.damaged(key) }
        var texts: [String] = []
        for item in items {
            guard case .string(let text) = item else { throw ManifestFields.damaged(key) }
            texts.append(text)
        }
        return texts
    }

    func identifiers(_ key: String) throws(SnapshotError) -> [UInt32] {
        guard case .array(let items)? = table[key] else { throw ManifestFields.damaged(key) }
        var numbers: [UInt32] = []
        for item in items {
            guard case .integer(let number) = item, let number = UInt32(exactly: number) else {
                throw ManifestFields.damaged(key)
            }
            numbers.append(number)
        }
        return numbers
    }
}
