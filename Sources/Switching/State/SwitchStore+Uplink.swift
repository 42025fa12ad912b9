import Addresses
import Glibc
import Kernel
import Netlink
import Profile

extension SwitchStore {
    /// Makes what leads out of a switch that is being made.
    func makeUplink(
        _ spec: SwitchSpec, _ namespace: Int32, _ folder: borrowing StateFolder, force: Bool
    ) throws(SwitchError) {
        if spec.uplink == .none { return }
        let host = try attributed { () throws(SystemError) in
            let host = try ownNetworkNamespace()
            try NetworkNamespace.pin(host.number, in: folder, as: File.host)
            return host
        }
        CrashPoint.pass("pin host")
        switch spec.uplink {
        case .none: break
        case .nat: try makeLink(HostLink(spec: spec, fabric: namespace, host: host.number))
        case .device(let name):
            try DeviceUplink(name: name, fabric: namespace, host: host.number)
                .move(folder, for: spec, force: force)
        }
    }

    /// Makes a link to the host, which need not lead out, for what is published.
    func ensureLink(_ fabric: borrowing Switch) throws(SwitchError) {
        if try attributed({ () throws(SystemError) in try HostLink.name(in: fabric.namespace.number) }) != nil {
            // Somebody may have emptied the host's tables.
            let host = try fabric.host()
            return try ensureTable(host.number)
        }
        if case .device = fabric.spec.uplink {
            throw SwitchError(
                key: "publish", "the switch \"\(fabric.spec.name)\" has a device as its uplink, and no way to the host",
                mend: "reach the box by its address, or use a switch with --uplink nat")
        }
        if !fabric.reachesHost {
            try attributed { () throws(SystemError) in
                let host = try ownNetworkNamespace()
                try NetworkNamespace.pin(host.number, in: fabric.openFolder(), as: File.host)
            }
            CrashPoint.pass("pin host")
        }
        let host = try fabric.host()
        try makeLink(HostLink(spec: fabric.spec, fabric: fabric.namespace.number, host: host.number))
    }

    private func makeLink(_ link: HostLink) throws(SwitchError) {
        try ensureTable(link.host)
        CrashPoint.pass("host table")
        let settings = try attributed { () throws(SystemError) in try HostSettings(state, host: link.host) }
        try link.make(settings)
    }

    /// What of the host's firewall stands in the way of a switch that leads through the host: a sentence each, with the
    /// mend. Other tables than ours are their owners' business.
    public func hindrances(_ fabric: borrowing Switch) throws(SwitchError) -> [String] {
        guard fabric.spec.uplink == .nat else { return [] }
        let host = try fabric.host()
        return try attributed { () throws(SystemError) in
            guard let link = try HostLink.name(in: fabric.namespace.number) else { return [] }
            let chains = try NetfilterSocket(in: host.number).chains().filter {
                $0.hook == HostTable.forwardHook && $0.drops && $0.table != HostTable.name
            }
            return chains.map { chain in
                let place = "\(chain.family) \(chain.table) \(chain.name)"
                return "the host's firewall forwards only what it knows (table \(chain.family) \(chain.table), chain "
                    + "\(chain.name)); let the switch pass: nft insert rule \(place) iifname \(link) accept; "
                    + "nft insert rule \(place) oifname \(link) accept"
            }
        }
    }

    /// The host's table, with all links in it.
    private func ensureTable(_ host: Int32) throws(SwitchError) {
        let table = HostTable(host: host)
        guard try table.ensure() else { return }
        for name in try names() {
            // What is damaged has no link to enter.
            guard let spec = try? find(name), let fabric = try? open(name) else { continue }
            try attributed { () throws(SystemError) in
                guard fabric.reachesHost, let link = try HostLink.name(in: fabric.namespace.number) else { return }
                try table.add(link, to: spec.uplink == .nat ? [.links, .ways] : [.links])
            }
        }
        try attributed { () throws(SystemError) in
            for name in try HostSettings(state, host: host).interfaces() { try table.add(name, to: [.opened]) }
        }
    }

    /// Takes down what reaches from a switch into the host's namespace.
    /// - Returns: a descriptor of that for the caller to close; -1 where nothing reached there.
    func takeDownUplink(_ folder: borrowing StateFolder) throws(SystemError) -> Int32 {
        try DeviceUplink.giveBack(folder)
        let host = try DeviceUplink.open(folder, File.host)
        if let fabric = try DeviceUplink.open(folder, File.namespace) {
            try HostLink.remove(from: fabric.number)
            try VxlanUplink.remove(from: fabric.number)
        }
        guard let host else { return -1 }
        return host.take()
    }

    /// The same as ``tidyHost(_:)`` for the caller's namespace, where anything of ours can be in it.
    func tidyOwnHost() throws(SystemError) -> [String] {
        // Nobody else makes a switch.
        if geteuid() != 0 { return [] }
        let host = try ownNetworkNamespace()
        return try tidyHost(host.number)
    }

    /// Takes out of the host's table what leads nowhere; the table and the changed settings go with the last link.
    /// - Returns: what was removed.
    func tidyHost(_ host: Int32) throws(SystemError) -> [String] {
        let table = HostTable(host: host)
        let settings = try HostSettings(state, host: host)
        let links = try table.dropLostLinks()
        if let links, links > 0 { return try dropLostPublications(host) }
        var removed: [String] = []
        if try !settings.isEmpty {
            try settings.restore()
            removed.append("forwarding on the host's interfaces")
        }
        CrashPoint.pass("restore settings")
        if links != nil {
            try table.remove()
            CrashPoint.pass("remove table")
            removed.append("nftables table inet \(HostTable.name)")
        }
        return removed
    }
}

extension Switch {
    /// The host's namespace, as the switch keeps it.
    borrowing func host() throws(SwitchError) -> Descriptor {
        try attributed { () throws(SystemError) in try NetworkNamespace.open("\(directory)/\(File.host)") }
    }
}
