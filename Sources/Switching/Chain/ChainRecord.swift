import Glibc
import Kernel
import Profile

/// What a switch knows of its ports' chains: a file for each port that has one, called like the port.
struct ChainRecords: ~Copyable {
    private let folder: StateFolder

    /// - Returns: nil where no port has had any.
    static func existing(_ directory: String) throws(SystemError) -> ChainRecords? {
        guard let folder = try StateFolder(existing: directory).existing(File.chains) else { return nil }
        return ChainRecords(folder)
    }

    static func make(_ directory: String) throws(SystemError) -> ChainRecords {
        ChainRecords(try StateFolder(existing: directory).folder(File.chains))
    }

    private init(_ folder: consuming StateFolder) { self.folder = folder }

    func ports() throws(SystemError) -> [String] { try folder.entries().filter { FabricName.isPort($0) } }

    /// Removes what commands left half written that were killed.
    func sweep() throws(SystemError) {
        for entry in try folder.entries() where entry.utf8.first == UInt8(ascii: ".") {
            if let owner = ProcessIdentity(temporary: entry), try !owner.isAlive() { try folder.remove(entry) }
        }
    }

    func read(_ port: String) throws(SystemError) -> ChainPlan? {
        guard let text = try folder.read(port) else { return nil }
        do throws(ProfileError) {
            let document = try TOMLDocument(file: "\(folder.path)/\(port)", text: text)
            if let plan = ChainPlan(document.value) { return plan }
        } catch {
            throw SystemError("read \(folder.path)/\(port): \(error.message)", code: 22)
        }
        throw SystemError("read \(folder.path)/\(port)", code: 22)
    }

    func write(_ plan: ChainPlan, of port: String) throws(SystemError) {
        try folder.write(port, plan.document.tomlDocument())
    }

    func remove(_ port: String) throws(SystemError) {
        try folder.remove(port + ChainRecords.next)
        try folder.remove(port)
    }

    /// What the chain of a port is about to be, and who is at it.
    func coming(_ port: String) throws(SystemError) -> (plan: ChainPlan, by: ProcessIdentity)? {
        guard let text = try folder.read(port + ChainRecords.next) else { return nil }
        do throws(ProfileError) {
            let document = try TOMLDocument(file: "\(folder.path)/\(port)\(ChainRecords.next)", text: text)
            if let plan = ChainPlan(document.value), case .integer(let pid)? = document.value["pid"],
                case .integer(let start)? = document.value["start"]
            {
                return (plan, ProcessIdentity(pid: Int32(clamping: pid), start: UInt64(clamping: start)))
            }
        } catch {
            throw SystemError("read \(folder.path)/\(port)\(ChainRecords.next): \(error.message)", code: 22)
        }
        throw SystemError("read \(folder.path)/\(port)\(ChainRecords.next)", code: 22)
    }

    func announce(_ plan: ChainPlan, of port: String) throws(SystemError) {
        let own = try ProcessIdentity.own()
        guard case .table(let entries) = plan.document else { return }
        let owner: [(key: String, value: Value)] = [
            ("pid", .integer(Int(own.pid))), ("start", .integer(Int(clamping: own.start))),
        ]
        try folder.write(port + ChainRecords.next, Value.table(entries + owner).tomlDocument())
    }

    /// It has come to be, or nothing has come of it.
    func settle(_ port: String) throws(SystemError) { try folder.remove(port + ChainRecords.next) }

    private static let next = ".next"

    /// Keeps others from changing chains of this switch, for whom it takes longer than ten seconds.
    func lock() throws(SystemError) -> ByteLock {
        guard let lock = try ByteLock(folder.open(File.lock, O_RDWR | O_CREAT), offset: 0, milliseconds: 10_000) else {
            throw SystemError("change a chain: another command is at work", code: EBUSY)
        }
        return lock
    }
}

extension ChainPlan {
    fileprivate var document: Value {
        .table([("next", .integer(nextID)), ("hops", .array(hops.map { $0.document }))])
    }

    fileprivate init?(_ value: Value) {
        guard case .integer(let next)? = value["next"], case .array(let items)? = value["hops"] else { return nil }
        var hops: [Hop] = []
        for item in items {
            guard let hop = Hop(item) else { return nil }
            hops.append(hop)
        }
        self.init(hops: hops, nextID: next)
    }
}

extension ChainPlan.Hop {
    fileprivate var document: Value {
        func text(_ text: String?) -> Value { .string(text ?? "") }
        let limits = function.limits
        return .table([
            ("id", .integer(id)), ("reference", .string(function.reference)), ("name", .string(function.name)),
            ("placement", .string(function.placement.rawValue)), ("fail", .string(function.failure.rawValue)),
            ("classifier", text(function.classifier)), ("to-switch", .strings(function.toSwitch)),
            ("to-application", .strings(function.toApplication)),
            ("egress", .integer(Int(clamping: limits.egress ?? 0))),
            ("ingress", .integer(Int(clamping: limits.ingress ?? 0))),
            ("burst", .integer(Int(clamping: limits.burst ?? 0))), ("delay", .integer(limits.delay ?? 0)),
            ("mode", text(function.mode?.rawValue)), ("instance", text(function.instance)), ("box", text(box)),
            ("inner", text(pair?.inner)), ("outer", text(pair?.outer)), ("pair", text(pair?.name)),
            ("drain", .integer(function.drain)), ("tracking", .bool(function.tracksConnections)),
            ("switch", text(pair?.switchName)),
            ("takes-all", .bool(pair?.takesAll ?? false)),
        ])
    }

    fileprivate init?(_ value: Value) {
        func text(_ key: String) -> String? {
            guard case .string(let text)? = value[key] else { return nil }
            return text
        }
        func number(_ key: String) -> Int? {
            guard case .integer(let number)? = value[key] else { return nil }
            return number
        }
        func texts(_ key: String) -> [String]? {
            guard case .array(let items)? = value[key] else { return nil }
            var texts: [String] = []
            for case .string(let text) in items { texts.append(text) }
            return texts.count == items.count ? texts : nil
        }
        guard let id = number("id"), let reference = text("reference"), let name = text("name"),
            let placement = text("placement").flatMap({ Profile.Function.Placement(rawValue: $0) }),
            let failure = text("fail").flatMap({ Profile.Function.Failure(rawValue: $0) }),
            let toSwitch = texts("to-switch"), let toApplication = texts("to-application")
        else { return nil }
        self.init(id: id, function: ResolvedFunction(reference, name: name, placement, failure: failure))
        func word(_ key: String) -> String? { text(key).flatMap { $0.isEmpty ? nil : $0 } }
        function.mode = word("mode").flatMap { Profile.Function.Mode(rawValue: $0) }
        function.instance = word("instance")
        if let drain = number("drain") { function.drain = drain }
        if case .bool(let tracks)? = value["tracking"] { function.tracksConnections = tracks }
        box = word("box")
        if let inner = word("inner"), let switchName = word("switch"), case .bool(let takesAll)? = value["takes-all"] {
            pair = PortPair(
                name: word("pair") ?? name, switchName: switchName, inner: inner, outer: word("outer"),
                takesAll: takesAll)
        }
        function.classifier = text("classifier").flatMap { $0.isEmpty ? nil : $0 }
        (function.toSwitch, function.toApplication) = (toSwitch, toApplication)
        func amount(_ key: String) -> UInt64? { number(key).flatMap { $0 > 0 ? UInt64($0) : nil } }
        function.limits.egress = amount("egress")
        function.limits.ingress = amount("ingress")
        function.limits.burst = amount("burst")
        function.limits.delay = number("delay").flatMap { $0 > 0 ? $0 : nil }
    }
}
