import Addresses
import Profile

/// Decides the box's resolv.conf(5).
struct ResolverPlanner {
    let host: HostFacts
    let network: Profile.Network
    let unshare: NamespaceSet

    private static let path = "/etc/resolv.conf"

    func steps() throws(LaunchError) -> [MountStep] {
        // Nothing can be put over the host's file then, and nobody has asked for it.
        let isAsked = network.interface.namesServers || network.more.contains { $0.namesServers }
        if !unshare.contains(.mount), !isAsked { return [] }
        let interfaces = [network.interface] + network.more
        // A function's box gets its interfaces by a chain, and is told whom to ask.
        var servers = unshare.contains(.mount) ? host.nameServers : []
        var domains: [String] = []
        /// Where a name server is asked for, and not only taken where there is one.
        var asking: String?
        var key = "network.dns"
        /// Whether DHCP servers may tell some.
        var isOpen = false
        for (index, interface) in interfaces.enumerated()
        where interface.kind?.makesInterface == true {
            let own = index == 0 ? "network.dns" : "network.more[\(index - 1)].dns"
            let found = try resolver(interface)
            if !found.servers.isEmpty, servers.isEmpty { key = own }
            for server in found.servers where !servers.contains(server) { servers.append(server) }
            if let domain = found.domain, !domains.contains(domain) { domains.append(domain) }
            if asking == nil, interface.namesServers { asking = own }
            if !interface.dynamicFamilies.isEmpty, interface.nameServers.contains(.auto) { isOpen = true }
        }
        // Without a mount namespace what they tell changes nothing.
        if servers.isEmpty, !isOpen || !unshare.contains(.mount) { return [] }
        guard unshare.contains(.mount) else {
            guard let asking else { return [] }
            throw LaunchError(
                key: asking, "name servers of the box's own need a mount namespace",
                mend: "add \"mount\" to namespaces.unshare (--unshare mount)")
        }
        var content = domains.isEmpty ? "" : "search \(domains.joined(separator: " "))\n"
        for server in servers { content += "nameserver \(server)\n" }
        let file = MountOperation.replace(
            path: ResolverPlanner.path, content: content, mode: 0o644, optional: asking == nil)
        return [MountStep(asking ?? key, file)]
    }

    /// The plan with the name servers that the box's networks told.
    static func complete(_ plan: FilesystemPlan, _ told: [IPAddress]) -> FilesystemPlan {
        if told.isEmpty { return plan }
        var plan = plan
        for index in plan.steps.indices {
            guard case .replace(let path, var content, let mode, let optional) = plan.steps[index].operation else {
                continue
            }
            for server in told where !content.contains("nameserver \(server)\n") {
                content += "nameserver \(server)\n"
            }
            plan.steps[index].operation = .replace(path: path, content: content, mode: mode, optional: optional)
        }
        return plan
    }

    private func resolver(_ interface: Profile.Interface) throws(LaunchError) -> Resolver {
        var resolver = Resolver(servers: [], domain: nil)
        for server in interface.nameServers {
            switch server {
            case .address(let address): resolver.servers.append(address)
            case .auto:
                guard let name = interface.switchName, interface.address != .none, let own = try host.resolver(name)
                else { continue }
                resolver.servers += own.servers
                resolver.domain = own.domain
            }
        }
        return resolver
    }
}

extension Profile.Interface {
    /// Whether a name server is asked for by its address.
    fileprivate var namesServers: Bool { nameServers.contains { $0 != .auto } }
}
