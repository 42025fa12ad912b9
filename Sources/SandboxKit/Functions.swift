import Addresses
import Glibc
import Kernel
import Launch
import Profile
import Switching

/// What a sandbox is that is a function of a chain.
struct FunctionPlace: Sendable, Equatable {
    var switchName: String
    var reference: String
    var mode: Profile.Function.Mode
    /// Bytes.
    var mtu: Int
    /// Whose it is: while that process lives it may be in no chain yet.
    var starter: ProcessIdentity
    /// Whether what passes its bridge is tracked.
    var tracksConnections = false
    /// What joins its two ends, in mode bridge.
    var wire = Profile.Function.Wire.bridge
    /// Its interfaces in the first of its chains.
    var pair: PortPair?
    /// Of a proxy, and of one that tracks connections: whom it stands for.
    var client: Client?

    struct Client: Sendable, Equatable {
        /// The sandbox, and what it calls its interface.
        var name: String
        var interface: String
        /// What of its traffic.
        var classifier: String
        /// Whom it asks for names.
        var nameServers: [IPAddress]
    }

    init(switchName: String, reference: String, mode: Profile.Function.Mode, mtu: Int, starter: ProcessIdentity) {
        (self.switchName, self.reference, self.mode) = (switchName, reference, mode)
        (self.mtu, self.starter) = (mtu, starter)
    }

    var value: Value {
        .table([
            ("switch", .string(switchName)), ("reference", .string(reference)), ("mode", .string(mode.rawValue)),
            ("mtu", .integer(mtu)), ("tracking", .bool(tracksConnections)), ("wire", .string(wire.rawValue)),
            ("starter", starter.value),
            ("name", .string(pair?.name ?? "")),
            ("inner", .string(pair?.inner ?? "")), ("outer", .string(pair?.outer ?? "")),
            ("takes-all", .bool(pair?.takesAll ?? false)),
            ("client", .string(client?.name ?? "")), ("interface", .string(client?.interface ?? "")),
            ("classifier", .string(client?.classifier ?? "")),
            ("name-servers", .strings(client?.nameServers.map { $0.description } ?? [])),
        ])
    }

    init?(_ value: Value) {
        let fields = Fields(value)
        guard let name = fields.string("switch"), let reference = fields.string("reference"),
            let mode = fields.string("mode").flatMap({ Profile.Function.Mode(rawValue: $0) }),
            let mtu = fields.integer("mtu"), let starter = fields.process("starter")
        else { return nil }
        self.init(switchName: name, reference: reference, mode: mode, mtu: mtu, starter: starter)
        tracksConnections = fields.bool("tracking") ?? false
        wire = fields.string("wire").flatMap { Profile.Function.Wire(rawValue: $0) } ?? .bridge
        if let name = fields.string("client"), !name.isEmpty, let interface = fields.string("interface"),
            let classifier = fields.string("classifier"), let servers = fields.strings("name-servers")
        {
            client = Client(
                name: name, interface: interface, classifier: classifier,
                nameServers: servers.compactMap { IPAddress($0) })
        }
        guard let inner = fields.string("inner"), !inner.isEmpty, let outer = fields.string("outer") else { return }
        pair = PortPair(
            name: fields.string("name") ?? "", switchName: name, inner: inner, outer: outer.isEmpty ? nil : outer,
            takesAll: fields.bool("takes-all") ?? false)
    }

    /// - Parameter number: how many others the sandbox has.
    func plan(_ function: String, _ number: Int = 0) -> PortPairPlan {
        var plan = PortPairPlan(name: function, mtu: mtu)
        switch mode {
        case .bridge:
            let wires: [Profile.Function.Wire: FunctionWire] = [.direct: .direct, .none: .none]
            plan.mode = .bridge(wires[wire] ?? .bridge)
        case .tap: plan.mode = .tap
        case .route: plan.mode = .route(inner: [], outer: [])
        case .proxy: plan.mode = .proxy
        }
        plan.tracksConnections = tracksConnections
        plan.interfaces = ("in\(number)", "out\(number)")
        return plan
    }
}

/// A function of a chain that is to be started.
struct FunctionStart {
    let function: ResolvedFunction
    /// The sandbox whose chain it is in.
    let application: String
    let switchName: String
    let mtu: Int
    let name: String
    /// What the application calls its interface.
    let interface: String
    /// Whom it asks for names.
    let nameServers: [IPAddress]

    /// As its profile says, in a network namespace of its own, without anything of the application's.
    func request() throws(LaunchError) -> LaunchRequest {
        var profile = Profile()
        if let document = function.box {
            do throws(ProfileError) {
                profile = try Profile(document: document, name: function.name)
            } catch {
                throw LaunchError(key: "chain", error.message)
            }
        }
        profile.function = nil
        if profile.namespaces.join[.net] != nil {
            throw LaunchError(
                key: "chain", "the function \"\(function.reference)\" joins a network namespace",
                mend: "take namespaces.join.net out of its profile")
        }
        profile.namespaces.unshare.insert(.net)
        profile.process.terminal = .none
        profile.process.environment.set["SANDBOX_FUNCTION"] = name
        profile.process.environment.set["SANDBOX_APPLICATION"] = application
        // One without a program is its interfaces, which need somebody to keep them.
        if profile.process.command.isEmpty { profile.process.command = ["sleep", "infinity"] }
        var request = LaunchRequest(profile, name: name)
        request.profiles = [function.reference]
        request.environment = environmentOfCaller()
        request.directory = "/"
        request.isDetached = true
        request.function = FunctionPlace(
            switchName: switchName, reference: function.reference, mode: function.mode ?? .bridge, mtu: mtu,
            starter: try translated { () throws(SystemError) in try .own() })
        request.function?.wire = function.wire
        request.function?.tracksConnections = function.tracksConnections
        if function.knowsApplication {
            request.function?.client = .init(
                name: application, interface: interface, classifier: function.classifier ?? "",
                nameServers: nameServers)
        }
        return request
    }
}

extension Registry {
    /// Starts the sandboxes of a launch's chains.
    ///
    /// - Parameter note: is told of their names as they come.
    /// - Returns: the chains, by the interface's place; none where there is nothing to start.
    func startFunctions(
        _ plan: LaunchPlan, _ note: ([String]) throws(LaunchError) -> Void
    ) throws(LaunchError) -> [ChainPlan] {
        guard plan.interfaces.contains(where: { $0.functions.contains { $0.placement != .inline } }) else { return [] }
        var chains: [ChainPlan] = []
        var boxes: [String] = []
        for interface in plan.interfaces {
            var chain = try switched(interface.key) { () throws(SwitchError) in try ChainPlan(interface.functions) }
            if !chain.hops.allSatisfy({ !$0.hasBox }) {
                let store = SwitchStore(state)
                _ = try switched(interface.key) { () throws(SwitchError) in try store.prepare(interface.interface) }
            }
            for hop in chain.hops where hop.hasBox {
                let start = try functionStart(hop.function, of: plan.name ?? "-", interface.name, interface.interface)
                // Written first: what is started is found by it.
                boxes.append(start.name)
                try note(boxes)
                chain.place(hop.id, in: start.name, try startFunction(start))
            }
            chains.append(chain)
        }
        return chains
    }

    /// What is to be started, under a name that is free.
    func functionStart(
        _ function: ResolvedFunction, of application: String, _ name: String, _ interface: Profile.Interface
    ) throws(LaunchError) -> FunctionStart {
        guard let fabric = interface.switchName,
            let spec = try switched("network", { () throws(SwitchError) in try SwitchStore(state).find(fabric) })
        else {
            throw LaunchError(key: "chain", "functions need a port of a switch", mend: "name one with --switch")
        }
        return FunctionStart(
            function: function, application: application, switchName: fabric, mtu: interface.mtu ?? spec.mtu,
            name: try functionName(function, of: application), interface: name,
            nameServers: interface.nameServers.flatMap { server in
                switch server {
                case .address(let address): [address]
                case .auto: spec.hasDNS ? spec.subnets.map(\.address) : []
                }
            })
    }

    private func functionName(_ function: ResolvedFunction, of application: String) throws(LaunchError) -> String {
        let short = String((function.name.split(separator: "/").last ?? "function").prefix(24))
        let word = short.hasSuffix(".toml") ? String(short.dropLast(5)) : short
        if let instance = function.instance { return "\(word).\(instance)" }
        let base = "\(application.prefix(34)).\(word)"
        var number = 1
        while true {
            let name = number == 1 ? base : "\(base).\(number)"
            guard let record = try settle(name) else { return name }
            if record.function != nil, !record.isUnderWay { return name }
            number += 1
        }
    }

    /// Starts it, and looks whether it stays; one that several chains share may run already.
    /// - Returns: its interfaces for one chain.
    func startFunction(_ start: FunctionStart) throws(LaunchError) -> PortPair {
        if start.function.instance != nil, let record = try settle(start.name), record.phase == .running {
            guard let place = record.function, place.reference == start.function.reference,
                place.switchName == start.switchName
            else {
                throw LaunchError(
                    key: "chain",
                    "\"\(start.name)\" is something else than \"\(start.function.reference)\" on the switch "
                        + "\"\(start.switchName)\"", mend: "use another instance")
            }
            return try morePairs(record)
        }
        _ = try Sandbox.launch(try start.request(), in: self, executable: OwnExecutable.path())
        do throws(LaunchError) {
            return try settled(start)
        } catch {
            var error = error
            do throws(LaunchError) { try endFunction(start.name) } catch let second {
                error.message += "; left behind: \(second.message)"
            }
            throw error
        }
    }

    /// Milliseconds in which a function that cannot do its work has said so.
    private static let firstLook = 60

    private func settled(_ start: FunctionStart) throws(LaunchError) -> PortPair {
        var isOver = true
        if let record = try find(start.name), let process = try hold(record.process, of: record) {
            isOver = try waitForAny(
                of: [process.descriptor], until: monotonicMilliseconds() + Registry.firstLook)[0]
        }
        guard !isOver, let record = try settle(start.name), let pair = record.function?.pair else {
            let said = try lastWords(start.name)
            throw LaunchError(
                key: "chain",
                "the function \"\(start.function.reference)\" ended at once" + (said.isEmpty ? "" : ": \(said)"),
                mend: "mend its profile, or what is given to it")
        }
        return pair
    }

    /// The end of what it has written.
    private func lastWords(_ name: String) throws(LaunchError) -> String {
        try translated { () throws(SystemError) in
            guard let folder = try openFolder(name) else { return "" }
            var text = ""
            for file in [File.log] + File.ring { text += try folder.read(file) ?? "" }
            return text.split(separator: "\n").last.map { String($0.prefix(200)) } ?? ""
        }
    }

    /// Makes the interfaces of a function while its box waits.
    func makePair(_ place: FunctionPlace, _ namespace: Int32, _ pid: Int32, of name: String) throws(LaunchError)
        -> PortPair
    {
        let box = BoxReference(namespace: namespace, pid: pid, owner: name)
        let plan = place.plan(name)
        return try switched("chain") { () throws(SwitchError) in
            try SwitchStore(state).attachPair(plan, to: box, on: place.switchName)
        }
    }

    /// Further interfaces of a function that runs.
    private func morePairs(_ record: SandboxRecord) throws(LaunchError) -> PortPair {
        guard let place = record.function, let directory = record.namespaceDirectory, let process = record.process
        else {
            throw LaunchError(key: "chain", "the function \"\(record.name)\" does not run")
        }
        let namespace = try translated { () throws(SystemError) in
            try Descriptor(open: "\(directory)/net", O_RDONLY)
        }
        let box = BoxReference(namespace: namespace.number, pid: process.pid, owner: record.name)
        let store = SwitchStore(state)
        let number = try switched("chain") { () throws(SwitchError) in
            try store.freePairNumber(in: namespace.number)
        }
        let plan = place.plan(record.name, number)
        return try switched("chain") { () throws(SwitchError) in
            try store.attachPair(plan, to: box, on: place.switchName)
        }
    }

    /// A function that has begun again is led to again.
    func renewFunction(_ record: SandboxRecord) throws(LaunchError) {
        guard let pair = record.function?.pair else { return }
        try standForClient(record)
        try switched("chain") { () throws(SwitchError) in
            try SwitchStore(state).renew(record.name, pair) { () throws(SwitchError) in
                do throws(LaunchError) { return try morePairs(record) } catch {
                    throw SwitchError(error.message)
                }
            }
        }
        try EventLog(state).add(
            "chain-restored", record.name, [("function", .string(record.function?.reference ?? ""))])
    }

    // MARK: - The end

    /// Ends the sandboxes that a sandbox's chains had, but for those that others have.
    func releaseFunctions(_ record: inout SandboxRecord) throws(LaunchError) {
        if let pair = record.function?.pair {
            // First: who waits for it need not wait for the kernel to take interfaces away.
            try tellFailure(record)
            try switched("chain") { () throws(SwitchError) in try SwitchStore(state).remove([pair]) }
            record.function?.pair = nil
        }
        if record.functions.isEmpty { return }
        let functions = record.functions
        record.functions = []
        try endFunctions(functions)
        CrashPoint.pass("end functions")
    }

    /// One that nobody has asked to end.
    private func tellFailure(_ record: SandboxRecord) throws(LaunchError) {
        let isAsked = try translated { () throws(SystemError) in
            try openFolder(record.name)?.read(File.stopping) != nil
        }
        if isAsked { return }
        try EventLog(state).add(
            "chain-failed", record.name, [("function", .string(record.function?.reference ?? ""))])
    }

    /// Ends those that no chain has any more.
    func endFunctions(_ names: [String]) throws(LaunchError) {
        let used = try switched { () throws(SwitchError) in try SwitchStore(state).chainBoxes() }
        for name in names where !used.contains(name) { try endFunction(name) }
    }

    private func endFunction(_ name: String) throws(LaunchError) {
        guard let record = try find(name), record.function != nil else { return }
        // What it has not written yet it may write.
        if let failure = Sandbox.stop([Sandbox(name, self)], timeout: 1).first { throw failure.error }
        try Sandbox(name, in: self).remove(force: true)
    }

    /// Goes into a function's network namespace for who wants to look there; one that does not run has none.
    func visit(_ name: String, _ body: (Int32?) -> Void) {
        do throws(LaunchError) {
            let directory = try find(name).flatMap { $0.phase == .running ? $0.namespaceDirectory : nil }
            let namespace = try directory.map { path throws(LaunchError) in
                try translated { () throws(SystemError) in try Descriptor(open: "\(path)/net", O_RDONLY).take() }
            }
            defer { if let namespace { close(namespace) } }
            body(namespace)
        } catch {
            // It has ended just now: its ends in the switch tell what they know.
            body(nil)
        }
    }

    /// Ends functions that no chain has.
    /// - Returns: what was removed.
    func sweepFunctions(except damaged: Set<String>) throws(LaunchError) -> [String] {
        var removed: [String] = []
        for name in try names() where !damaged.contains(name) {
            guard let record = try find(name), let place = record.function else { continue }
            if try isAlive(place.starter, of: record) { continue }
            // Looked at last: a chain is announced before its functions are started.
            let used = try switched { () throws(SwitchError) in try SwitchStore(state).chainBoxes() }
            if used.contains(name) { continue }
            try endFunction(name)
            removed.append(path(name))
        }
        return removed
    }
}
