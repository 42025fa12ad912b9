import Kernel
public import Launch
import Profile
public import Switching

/// A change of the functions between an interface and its switch. A function already there is known by its whole
/// reference, its name where only one has it, or its position from 1 on.
public enum ChainChange: Sendable, Equatable {
    /// At a position, or as the last.
    case insert(String, at: Int?)
    case remove(String)
    case replace(String, with: String)
    case move(String, to: Int)
}

/// An interface with its chain, and what has gone through it.
public struct InterfaceChain: Sendable, Equatable {
    /// The interface's port.
    public var port: Port
    /// From the application to the switch.
    public var functions: [ChainStatus]
}

extension Sandbox {
    /// The chains of the sandbox's interfaces, or of one.
    public func chains(of interface: String? = nil) throws(LaunchError) -> [InterfaceChain] {
        let record = try record()
        guard record.phase == .running else { throw notRunning }
        let ports = interface == nil ? record.ports : [try port(interface, record)]
        var chains: [InterfaceChain] = []
        for port in ports {
            var functions: [ChainStatus] = []
            try switched { () throws(SwitchError) in try SwitchStore(registry.state).settleChain(of: port) }
            if let name = port.switchName, let end = port.end {
                functions = try switched { () throws(SwitchError) in
                    try SwitchStore(registry.state).existing(name).chain(of: end, inside: registry.visit) ?? []
                }
                for index in functions.indices where functions[index].function.knowsApplication {
                    let drainer = try functions[index].box.flatMap { box throws(LaunchError) in
                        try registry.drainer(of: box)
                    }
                    functions[index].isDraining = drainer != nil
                }
            }
            chains.append(InterfaceChain(port: port, functions: functions))
        }
        return chains
    }

    /// Changes the chain of an interface while traffic flows: a frame meets the chain as it was or as it is to be, and
    /// what fails leaves it as it was. The sandbox begins again with the chain that it has.
    ///
    /// - Parameter interface: its name in the box; the first with a port where nil.
    /// - Returns: the chain as it is now.
    @discardableResult
    public func changeChain(_ change: ChainChange, of interface: String? = nil) throws(LaunchError) -> [String] {
        let drained = try drainProxy(change, of: interface)
        do throws(LaunchError) {
            return try exchange(drained?.change ?? change, of: interface, only: drained?.hop)
        } catch {
            var error = error
            do throws(LaunchError) { if let box = drained?.box { try registry.letBegin(true, in: box) } } catch let
                second
            {
                error.message += "; and \(second.message)"
            }
            throw error
        }
    }

    /// - Parameter hop: the function that the change is about; another one of its name is none of it.
    func exchange(
        _ change: ChainChange, of interface: String?, only hop: Int? = nil
    ) throws(LaunchError) -> [String] {
        let lock = try registry.lock(name)
        guard var record = try registry.settle(lock) else { throw Registry.unknown(name) }
        guard record.phase == .running else { throw notRunning }
        let port = try port(interface, record)
        let function = try resolved(change)
        let asked = try wanted(port)
        var failure: LaunchError?
        var started: [String] = []
        let change = { (plan: inout ChainPlan) throws(SwitchError) in
            if let hop, case .remove(let name) = change, try plan.hop(name).id != hop {
                throw SwitchError("the chain has been changed meanwhile", mend: "try again")
            }
            try plan.apply(change, function)
        }
        let changed: (old: ChainPlan, new: ChainPlan)
        do throws(SwitchError) {
            changed = try SwitchStore(registry.state).changeChain(of: port, change) { plan throws(SwitchError) in
                do throws(LaunchError) {
                    for hop in plan.hops where hop.hasBox && hop.box == nil {
                        let start = try registry.functionStart(hop.function, of: name, port.name, asked)
                        started.append(start.name)
                        record.functions.append(start.name)
                        try registry.write(record)
                        plan.place(hop.id, in: start.name, try registry.startFunction(start))
                    }
                    try registry.standForApplication(plan, record, new: started)
                } catch {
                    failure = error
                    throw SwitchError(error.message)
                }
            }
        } catch {
            var error = failure ?? LaunchError(error)
            do throws(LaunchError) {
                record.functions.removeAll { started.contains($0) }
                try registry.write(record)
                try registry.endFunctions(started)
            } catch let second {
                error.message += "; left behind: \(second.message)"
            }
            throw error
        }
        let chain = changed.new.references
        let left = changed.old.hops.filter { hop in !changed.new.hops.contains { $0.id == hop.id } }
        for index in record.ports.indices where record.ports[index].name == port.name {
            record.ports[index].chain = chain
        }
        try registry.write(record)
        try note(chain, of: port.name, record)
        // Nothing is led there any more, and what was on its way has arrived.
        try switched { () throws(SwitchError) in
            try SwitchStore(registry.state).remove(left.filter { $0.function.instance != nil }.compactMap(\.pair))
        }
        try registry.endFunctions(left.compactMap(\.box))
        record.functions.removeAll { box in left.contains { $0.box == box } && !changed.new.boxes.contains(box) }
        try registry.write(record)
        try EventLog(registry.state).add(
            "chain-changed", name, [("interface", .string(port.name)), ("chain", .strings(chain))])
        return chain
    }

    /// The new function that a change brings.
    private func resolved(_ change: ChainChange) throws(LaunchError) -> ResolvedFunction? {
        let reference: String
        switch change {
        case .insert(let new, _), .replace(_, let new): reference = new
        case .remove, .move: return nil
        }
        do throws(ProfileError) {
            return try ProfileStore.ofCaller().resolve([reference], key: "chain").first
        } catch {
            throw LaunchError(error.problem, mend: error.mend)
        }
    }

    func port(_ interface: String?, _ record: SandboxRecord) throws(LaunchError) -> Port {
        guard let interface else {
            if let port = record.ports.first(where: { $0.end != nil }) { return port }
            throw LaunchError("\"\(name)\" has no port of a switch", mend: "start it with --switch")
        }
        if let port = record.ports.first(where: { $0.name == interface }) { return port }
        let known = record.ports.map(\.name).joined(separator: ", ")
        throw LaunchError(
            "\"\(name)\" has no interface \"\(interface)\"", mend: known.isEmpty ? "it has none" : "it has \(known)")
    }

    /// What it was asked for, for a port.
    private func wanted(_ port: Port) throws(LaunchError) -> Profile.Interface {
        let network = try registry.profile(try registry.request(name), name).network
        let made = network.interfaces
        let record = try record()
        guard let place = record.ports.firstIndex(where: { $0.name == port.name }), made.indices.contains(place) else {
            var interface = Profile.Interface()
            interface.switchName = port.switchName
            return interface
        }
        return made[place]
    }

    /// Puts the chain into what the sandbox was asked for.
    private func note(_ chain: [String], of interface: String, _ record: SandboxRecord) throws(LaunchError) {
        var request = try registry.request(name)
        let network = try registry.profile(request, name).network
        let keys: [DocumentPath] =
            [DocumentPath(keys: ["network"])]
            + network.more.indices.map { DocumentPath([.key("network"), .key("more"), .index($0)]) }
        let made = zip(keys, [network.interface] + network.more).filter { $0.1.kind?.makesInterface == true }
        guard let place = record.ports.firstIndex(where: { $0.name == interface }), made.indices.contains(place) else {
            return
        }
        request.profile = request.profile.setting("chain", .strings(chain), at: made[place].0.parts[...])
        try registry.write(request, name)
    }
}

extension ChainPlan {
    fileprivate mutating func apply(_ change: ChainChange, _ function: ResolvedFunction?) throws(SwitchError) {
        switch change {
        case .insert(_, let position): if let function { try insert(function, at: position) }
        case .remove(let name): try remove(name)
        case .replace(let name, _): if let function { try replace(name, with: function) }
        case .move(let name, let position): try move(name, to: position)
        }
    }
}

extension Value {
    /// The same with a key of one of its tables set.
    fileprivate func setting(_ key: String, _ value: Value, at path: ArraySlice<DocumentPath.Part>) -> Value {
        switch (self, path.first) {
        case (.table(var entries), nil):
            entries.removeAll { $0.key == key }
            return .table(entries + [(key, value)])
        case (.table(var entries), .key(let name)?):
            for index in entries.indices where entries[index].key == name {
                entries[index].value = entries[index].value.setting(key, value, at: path.dropFirst())
            }
            return .table(entries)
        case (.array(var items), .index(let index)?) where items.indices.contains(index):
            items[index] = items[index].setting(key, value, at: path.dropFirst())
            return .array(items)
        default: return self
        }
    }
}
