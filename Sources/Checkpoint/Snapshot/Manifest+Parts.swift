import Profile

extension Manifest.Versions {
    var document: Value {
        .table([
            ("sandbox", .string(sandbox)), ("criu", .string(criu)), ("kernel", .string(kernel)),
            ("machine", .string(machine)), ("processor-features", .strings(processorFeatures)),
        ])
    }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init()
        sandbox = try fields.text("sandbox")
        criu = try fields.text("criu")
        kernel = try fields.text("kernel")
        machine = try fields.text("machine")
        processorFeatures = try fields.texts("processor-features")
    }
}

extension Manifest.Interface {
    var document: Value {
        .table([
            ("name", .string(name)), ("attach", .string(attach)), ("switch", .optional(switchName)),
            ("mac", .optional(mac)), ("addresses", .strings(addresses)),
        ])
    }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init(
            name: try fields.text("name"), attach: try fields.text("attach"),
            switchName: try fields.optionalText("switch"), mac: try fields.optionalText("mac"),
            addresses: try fields.texts("addresses"))
    }
}

extension Manifest.Mount {
    var document: Value {
        .table([("path", .string(path)), ("type", .string(type)), ("source", .string(source))])
    }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init(
            path: try fields.text("path"), type: try fields.text("type"), source: try fields.text("source"))
    }
}

extension Manifest.External {
    var document: Value { .table([("key", .string(key)), ("value", .string(value))]) }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init(key: try fields.text("key"), value: try fields.text("value"))
    }
}

extension Manifest.Stream {
    var document: Value {
        .table([
            ("descriptor", .integer(descriptor)), ("kind", .string(kind.rawValue)), ("key", .string(key)),
            ("path", .optional(path)),
        ])
    }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init(
            descriptor: try fields.integer("descriptor"), kind: try fields.word("kind"), key: try fields.text("key"),
            path: try fields.optionalText("path"))
    }
}

extension Manifest.Round {
    var document: Value { .table([("copied", .integer(copied)), ("frozen", .optional(frozen))]) }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init(copied: try fields.integer("copied"), frozen: try fields.optionalInteger("frozen"))
    }
}

extension Manifest.File {
    var document: Value {
        .table([
            ("path", .string(path)), ("size", .integer(size)), ("sha256", .string(digest)),
            ("block", .optional(Manifest.File.block(size))), ("expanded-size", .optional(expandedSize)),
        ])
    }

    /// Bytes of the blocks that the digest is of; `nil` where it is of all bytes.
    private static func block(_ size: Int) -> Int? { size > FileDigest.block ? FileDigest.block : nil }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init(
            path: try fields.text("path"), size: try fields.integer("size"), digest: try fields.text("sha256"),
            expandedSize: try fields.optionalInteger("expanded-size"))
        guard try fields.optionalInteger("block") == Manifest.File.block(size) else {
            throw ManifestFields.damaged("block")
        }
    }
}

extension Manifest.Process {
    var document: Value {
        .table([
            ("pid", .integer(pid)), ("parent", .integer(parent)), ("name", .string(name)),
            ("command", .strings(command)), ("memory", .integer(memory)), ("uid", .integer(Int(uid))),
            ("gid", .integer(Int(gid))), ("groups", .numbers(groups)),
            (
                "capabilities",
                .table([
                    ("inheritable", .bits(inheritable)), ("permitted", .bits(permitted)),
                    ("effective", .bits(effective)), ("bounding", .bits(bounding)), ("ambient", .bits(ambient)),
                ])
            ),
            ("no-new-privileges", .bool(noNewPrivileges)), ("seccomp-mode", .integer(seccompMode)),
            ("seccomp-filters", .integer(seccompFilters)), ("personality", .bits(personality)),
            ("coredump-filter", coredumpFilter.map { .bits($0) } ?? .null),
            ("oom-score-adjust", .integer(oomScoreAdjust)), ("threads", .array(threads.map { $0.document })),
        ])
    }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init(
            pid: try fields.integer("pid"), parent: try fields.integer("parent"), name: try fields.text("name"))
        command = try fields.texts("command")
        memory = try fields.integer("memory")
        (uid, gid) = (try fields.identifier("uid"), try fields.identifier("gid"))
        groups = try fields.identifiers("groups")
        let sets = try fields.fields("capabilities")
        inheritable = try sets.bits("inheritable")
        permitted = try sets.bits("permitted")
        effective = try sets.bits("effective")
        bounding = try sets.bits("bounding")
        ambient = try sets.bits("ambient")
        noNewPrivileges = try fields.flag("no-new-privileges")
        seccompMode = try fields.integer("seccomp-mode")
        seccompFilters = try fields.integer("seccomp-filters")
        personality = try fields.bits("personality")
        coredumpFilter = try fields.optionalBits("coredump-filter")
        oomScoreAdjust = try fields.integer("oom-score-adjust")
        for item in try fields.items("threads") { threads.append(try Manifest.Thread(item)) }
    }
}

extension Manifest.Thread {
    var document: Value {
        .table([
            ("id", .integer(id)), ("affinity", .string(affinity)), ("io-priority", .integer(ioPriority)),
            ("timer-slack", timerSlack.map { .bits($0) } ?? .null),
        ])
    }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init(id: try fields.integer("id"))
        affinity = try fields.text("affinity")
        ioPriority = try fields.integer("io-priority")
        timerSlack = try fields.optionalBits("timer-slack")
    }
}

extension Manifest.Contents {
    var document: Value {
        .table([
            ("memory", .integer(memory)), ("sockets", .array(sockets.map { $0.document })),
            ("open-files", .strings(openFiles)), ("changes", .array(changes.map { $0.document })),
        ])
    }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init()
        memory = try fields.integer("memory")
        for item in try fields.items("sockets") { sockets.append(try Manifest.Socket(item)) }
        openFiles = try fields.texts("open-files")
        for item in try fields.items("changes") { changes.append(try Manifest.Change(item)) }
    }
}

extension Manifest.Socket {
    var document: Value {
        .table([
            ("kind", .string(kind)), ("local", .string(local)), ("remote", .string(remote)),
            ("state", .string(state)), ("pid", .integer(pid)),
        ])
    }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init(
            kind: try fields.text("kind"), local: try fields.text("local"), remote: try fields.text("remote"),
            state: try fields.text("state"), pid: try fields.integer("pid"))
    }
}

extension Manifest.Change {
    var document: Value { .table([("kind", .string(kind.rawValue)), ("path", .string(path))]) }

    init(_ fields: ManifestFields) throws(SnapshotError) {
        self.init(try fields.word("kind"), try fields.text("path"))
    }
}
