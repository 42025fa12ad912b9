import Glibc
public import Kernel
public import Netlink
import Profile

/// The switches of a state directory: a directory each, with the switch's declaration and the file that keeps its
/// network namespace. What is on a switch is read from the kernel.
public struct SwitchStore: Sendable {
    let state: StateDirectory
    /// How the kernel keeps the programs that chains are made of.
    let way: InterfacePrograms.Way
    private static let folder = "switches"
    private static let lockFile = "lock"

    public init(_ state: StateDirectory, by way: InterfacePrograms.Way = .ofKernel) {
        (self.state, self.way) = (state, way)
    }

    /// The names of all switches, sorted.
    public func names() throws(SwitchError) -> [String] {
        try attributed { () throws(SystemError) in
            try state.existing()?.existing(SwitchStore.folder)?.entries().filter { Form.isSwitchName($0) } ?? []
        }
    }

    /// What a switch is declared to be; `nil` when there is none of that name.
    public func find(_ name: String) throws(SwitchError) -> SwitchSpec? {
        try SwitchStore.check(name)
        let text = try attributed { () throws(SystemError) in
            try state.existing()?.existing(SwitchStore.folder)?.existing(name)?.read(File.declaration)
        }
        guard let text else { return nil }
        guard let document = Value(json: text), let spec = SwitchSpec(document, name: name) else {
            throw damaged(name)
        }
        return spec
    }

    /// A switch, ready to be worked on; `nil` when there is none of that name.
    /// - Throws: where somebody has taken its namespace away.
    public func open(_ name: String) throws(SwitchError) -> Switch? {
        guard let spec = try find(name) else { return nil }
        let path = path(name)
        do throws(SystemError) {
            return Switch(
                spec: spec, namespace: try NetworkNamespace.open(path + "/" + File.namespace), directory: path)
        } catch {
            throw SwitchError(
                "the switch \"\(name)\" has lost its network namespace: \(error.message)",
                mend: "'sandbox switch delete -f \(name)' forgets it")
        }
    }

    /// The same for one that must be there.
    public func existing(_ name: String) throws(SwitchError) -> Switch {
        guard let found = try open(name) else { throw SwitchStore.unknown(name) }
        return found
    }

    /// Keeps other commands from making or deleting switches, for whom it takes longer than ten seconds.
    package func lock() throws(SwitchError) -> ByteLock {
        let lock = try attributed { () throws(SystemError) in
            let file = try state.open().open(SwitchStore.lockFile, O_RDWR | O_CREAT)
            return try ByteLock(file, offset: SwitchStore.lockOffset, milliseconds: 10_000)
        }
        guard let lock else {
            throw SwitchError("another command is at work on the switches", mend: "try again when it is done")
        }
        return lock
    }

    /// No sandbox's lock is there.
    private static let lockOffset = Int.max - 2

    /// Enters a switch: complete, or not at all.
    ///
    /// - Parameter complete: makes what reaches beyond the switch's namespace; what it leaves is found in the folder.
    func enter(
        _ spec: SwitchSpec, _ namespace: Int32, _ complete: (borrowing StateFolder) throws(SwitchError) -> Void
    ) throws(SwitchError) {
        let all = try attributed { () throws(SystemError) in try state.open().folder(SwitchStore.folder) }
        let temporary = try attributed { () throws(SystemError) in try ProcessIdentity.own().temporary(spec.name) }
        do throws(SwitchError) {
            let folder = try attributed { () throws(SystemError) in
                let folder = try all.folder(temporary)
                try folder.write(File.declaration, spec.declaration.compactJSON + "\n")
                if spec.hasDNS { try HostsFolder.make(in: folder) }
                if spec.hasDHCP { try LeaseFolder.make(in: folder) }
                try NetworkNamespace.pin(namespace, in: folder, as: File.namespace)
                return folder
            }
            CrashPoint.pass("pin switch")
            try complete(folder)
            try attributed { () throws(SystemError) in try all.rename(temporary, to: spec.name) }
        } catch {
            try attributed { () throws(SystemError) in try discard(temporary, in: all) }
            throw error
        }
    }

    /// Forgets a switch and lets its namespace go; one that is not there is no error.
    func forget(_ name: String) throws(SystemError) {
        guard let all = try state.existing()?.existing(SwitchStore.folder) else { return }
        // While the switch can still be named: what cannot be given back stays where it is.
        if let folder = try all.existing(name) { try DeviceUplink.giveBack(folder) }
        let hidden = try ProcessIdentity.own().temporary(name) + ".old"
        do throws(SystemError) {
            try all.rename(name, to: hidden)
        } catch {
            if error.code == ENOENT { return }
            throw error
        }
        try discard(hidden, in: all)
    }

    /// Removes what commands that were killed left half made or half removed.
    /// - Returns: the paths removed.
    func sweepTemporary() throws(SystemError) -> [String] {
        guard let all = try state.existing()?.existing(SwitchStore.folder) else { return [] }
        var removed: [String] = []
        for entry in try all.entries() where entry.utf8.first == 0x2e {
            guard let owner = ProcessIdentity(temporary: entry), try !owner.isAlive() else { continue }
            try discard(entry, in: all)
            removed.append("\(all.path)/\(entry)")
        }
        return removed
    }

    private func discard(_ entry: String, in all: borrowing StateFolder) throws(SystemError) {
        guard let folder = try all.existing(entry) else { return }
        let host = try takeDownUplink(folder)
        try NetworkNamespace.unpin("\(folder.path)/\(File.namespace)")
        CrashPoint.pass("unpin switch")
        if host >= 0 {
            let host = Descriptor(host)
            _ = try tidyHost(host.number)
        }
        try NetworkNamespace.unpin("\(folder.path)/\(File.host)")
        try folder.removeFolder(File.hosts)
        try folder.removeFolder(File.dynamicHosts)
        try folder.removeFolder(File.chains)
        try all.removeFolder(entry)
    }

    /// A switch's directory.
    public func path(_ name: String) -> String { state.path + "/" + SwitchStore.folder + "/" + name }

    static func check(_ name: String) throws(SwitchError) {
        if Form.isSwitchName(name) { return }
        let shown = name.utf8.count > 80 ? String(name.prefix(60)) + "…" : name
        throw SwitchError(
            "\"\(shown)\" is no name for a switch",
            mend: "use letters, digits, '.', '_' and '-', at most 32, not beginning with '.' or '-'")
    }

    static func unknown(_ name: String) -> SwitchError {
        SwitchError("no switch \"\(name)\"", mend: "'sandbox switch list' lists them")
    }

    private func damaged(_ name: String) -> SwitchError {
        SwitchError(
            "\(path(name))/\(File.declaration) is damaged",
            mend: "'sandbox switch delete -f \(name)' forgets the switch")
    }
}

/// The files of a switch's directory.
enum File {
    static let declaration = "switch.json"
    static let namespace = "netns"
    /// Keeps the host's network namespace, for a switch that reaches into it.
    static let host = "host"
    /// The host's device that became the uplink, as it was.
    static let device = "device"
    /// Where the search for a free address goes on: a hint, no more.
    static let next = "next"
    /// See ``Leases``.
    static let leases = "leases"
    static let lock = "lock"
    /// hosts(5) for its name server.
    static let hosts = "hosts"
    /// Who is told which addresses by DHCP, and how often that had to begin anew: see ``LeaseFolder``.
    static let dynamicHosts = "dhcp"
    static let generation = "generation"
    /// The names that rules lead to.
    static let names = "names"
    /// See ``ChainRecords``.
    static let chains = "chains"
}

/// A switch that exists, with its network namespace open.
public struct Switch: ~Copyable {
    public let spec: SwitchSpec
    public let namespace: Descriptor
    let directory: String

    func openFolder() throws(SystemError) -> StateFolder { try StateFolder(existing: directory) }

    /// Whether anything of it is in the host's network namespace.
    var reachesHost: Bool { access(directory + "/" + File.host, F_OK) == 0 }
}
