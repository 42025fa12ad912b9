import Glibc
import Kernel
import Launch
import Profile
import Switching

/// Functions that know an application's interface: the boxes of proxies stand for it, those that track connections
/// translate its addresses.
extension Registry {
    /// Makes a launch's functions know it.
    /// - Parameter namespace: a descriptor of its network namespace.
    func standForApplication(_ chain: ChainPlan, _ namespace: Int32) throws(LaunchError) {
        for hop in chain.hops where hop.function.knowsApplication {
            guard let box = hop.box, let record = try find(box) else { continue }
            try stand(record, namespace)
        }
    }

    /// The same for those that a chain of a running sandbox has got.
    func standForApplication(_ chain: ChainPlan, _ application: SandboxRecord, new: [String]) throws(LaunchError) {
        for hop in chain.hops where hop.function.knowsApplication {
            guard let box = hop.box, new.contains(box), let record = try find(box) else { continue }
            let namespace = try network(of: application)
            try stand(record, namespace.number)
        }
    }

    /// A proxy that has begun again stands for whom it stood for. Where that one has ended nothing is led to it.
    func standForClient(_ record: SandboxRecord) throws(LaunchError) {
        guard let client = record.function?.client, let application = try find(client.name),
            application.phase == .running
        else { return }
        let namespace = try network(of: application)
        try stand(record, namespace.number)
    }

    private func stand(_ record: SandboxRecord, _ application: Int32) throws(LaunchError) {
        guard let place = record.function, let client = place.client else { return }
        let namespace = try network(of: record)
        try switched("chain") { () throws(SwitchError) in
            let end = try ApplicationEnd(client.interface, in: application)
            if place.tracksConnections {
                try TrackingBox(in: namespace.number).lead(to: end)
                return
            }
            try ProxyBox(in: namespace.number, classifier: client.classifier).stand(for: end)
        }
        CrashPoint.pass("stand for application")
    }

    /// Whether a function takes what begins.
    func letBegin(_ isOpen: Bool, in box: String) throws(LaunchError) {
        guard let record = try find(box), record.phase == .running, let place = record.function,
            let client = place.client
        else { return }
        let namespace = try network(of: record)
        try switched("chain") { () throws(SwitchError) in
            if place.tracksConnections {
                try TrackingBox(in: namespace.number).letBegin(isOpen)
                return
            }
            try ProxyBox(in: namespace.number, classifier: client.classifier).letBegin(isOpen)
        }
        try translated { () throws(SystemError) in
            guard let folder = try openFolder(box) else { return }
            if isOpen {
                try folder.remove(File.draining)
            } else {
                let own = try ProcessIdentity.own()
                try folder.write(File.draining, "\(own.pid) \(own.start)")
            }
        }
    }

    /// Who is waiting for a proxy's connections to end.
    func drainer(of box: String) throws(LaunchError) -> ProcessIdentity? {
        try translated { () throws(SystemError) in
            guard let text = try openFolder(box)?.read(File.draining) else { return nil }
            let words = text.split(separator: " ")
            guard words.count == 2, let pid = Int32(words[0]), let start = UInt64(words[1]) else { return nil }
            return ProcessIdentity(pid: pid, start: start)
        }
    }

    /// Proxies that are to be taken out by a command that was killed take what begins again.
    /// - Returns: their names.
    func resumeProxies(except damaged: Set<String>) throws(LaunchError) -> [String] {
        var resumed: [String] = []
        for name in try names() where !damaged.contains(name) {
            guard let drainer = try drainer(of: name), let record = try find(name),
                try !isAlive(drainer, of: record)
            else { continue }
            try letBegin(true, in: name)
            resumed.append("\(path(name)): it takes connections again")
        }
        return resumed
    }

    private func network(of record: SandboxRecord) throws(LaunchError) -> Descriptor {
        guard let directory = record.namespaceDirectory else {
            throw LaunchError(key: "chain", "the sandbox \"\(record.name)\" does not run")
        }
        return try translated { () throws(SystemError) in try Descriptor(open: "\(directory)/net", O_RDONLY) }
    }
}

extension Sandbox {
    /// What is left of a change once a proxy has been drained.
    struct Drained {
        var change: ChainChange
        /// The proxy's number in its chain.
        var hop: Int
        var box: String
    }

    /// Lets a proxy that a change takes out end what it has begun: what begins goes past it. Where another comes in its
    /// place, that one is there before.
    /// - Returns: what is left to be done; nil where the change takes no proxy out.
    func drainProxy(_ change: ChainChange, of interface: String?) throws(LaunchError) -> Drained? {
        let name: String
        switch change {
        case .remove(let old), .replace(let old, _): name = old
        case .insert, .move: return nil
        }
        guard let found = try proxy(name, interface), let box = found.hop.box else { return nil }
        if case .replace(_, let new) = change { _ = try exchange(.insert(new, at: found.position + 1), of: interface) }
        try registry.letBegin(false, in: box)
        CrashPoint.pass("drain proxy")
        let deadline = monotonicMilliseconds() + found.hop.function.drain
        while monotonicMilliseconds() < deadline {
            if try connections(of: box) == 0 { break }
            pauseBriefly(microseconds: 20_000)
        }
        CrashPoint.pass("drained proxy")
        return Drained(change: .remove("\(found.position)"), hop: found.hop.id, box: box)
    }

    private func proxy(_ name: String, _ interface: String?) throws(LaunchError) -> (position: Int, hop: ChainPlan.Hop)?
    {
        let record = try record()
        guard record.phase == .running else { return nil }
        let port = try port(interface, record)
        return try switched { () throws(SwitchError) in
            guard let plan = try SwitchStore(registry.state).chainPlan(of: port) else { return nil }
            let (position, hop) = (try plan.position(of: name), try plan.hop(name))
            return hop.function.knowsApplication ? (position, hop) : nil
        }
    }

    /// Those of a box that has ended are over.
    private func connections(of box: String) throws(LaunchError) -> Int {
        guard let record = try registry.find(box), record.phase == .running, let process = record.process,
            try registry.isAlive(process, of: record), let directory = record.namespaceDirectory
        else { return 0 }
        // One that has ended just now has no such file.
        if access("\(directory)/net", F_OK) != 0 { return 0 }
        let namespace = try translated { () throws(SystemError) in try Descriptor(open: "\(directory)/net", O_RDONLY) }
        let tracks = record.function?.tracksConnections == true
        return try switched { () throws(SwitchError) in
            tracks
                ? try TrackingBox(in: namespace.number).connections()
                : try ProxyBox.connections(in: namespace.number)
        }
    }
}
