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

    func remove(_ port: String) throws(SystemError) { try folder.remove(port) }
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
        self.id = id
        function = ResolvedFunction(reference, name: name, placement, failure: failure)
        function.classifier = text("classifier").flatMap { $0.isEmpty ? nil : $0 }
        (function.toSwitch, function.toApplication) = (toSwitch, toApplication)
        func amount(_ key: String) -> UInt64? { number(key).flatMap { $0 > 0 ? UInt64($0) : nil } }
        function.limits.egress = amount("egress")
        function.limits.ingress = amount("ingress")
        function.limits.burst = amount("burst")
        function.limits.delay = number("delay").flatMap { $0 > 0 ? $0 : nil }
    }
}
