import Addresses
import CLinux
import Glibc
import Kernel
import Netlink

/// The name server of a switch, dnsmasq(8): where it is, and how it is to be run. Who runs it is not ours to say.
public struct NameService: Sendable, Equatable {
    /// The program and its arguments.
    public var command: [String]
    /// The file that keeps the switch's network namespace.
    public var namespace: String
    /// A directory of hosts(5) files that it follows, and where it expects that.
    public var hosts: (from: String, to: String) { ("\(directory)/\(File.hosts)", NameService.hosts) }
    /// The directory that tells who gets which addresses by DHCP, and where that is expected; `nil` where nobody asks.
    public var leases: (from: String, to: String)? {
        givesAddresses ? ("\(directory)/\(File.dynamicHosts)", NameService.leases) : nil
    }
    /// A directory or file of the host's that tells the host's own name servers, which change.
    public var hostResolver: String?
    /// What it needs of root's power, without `CAP_`.
    public var capabilities = ["NET_BIND_SERVICE"]
    private let directory: String
    private let givesAddresses: Bool

    static let hosts = "/run/names"
    static let leases = "/run/leases"

    /// - Parameter directory: the switch's.
    init(_ spec: SwitchSpec, directory: String) throws(SwitchError) {
        self.directory = directory
        givesAddresses = spec.hasDHCP
        namespace = "\(directory)/\(File.namespace)"
        command = [
            try NameService.program().path, "--keep-in-foreground", "--conf-file=", "--pid-file", "--log-facility=-",
            "--no-hosts", "--hostsdir=\(NameService.hosts)", "--bind-interfaces", "--local=/\(spec.searchDomain)/",
            "--domain-needed", "--bogus-priv",
        ]
        for subnet in spec.subnets { command.append("--listen-address=\(subnet.address)") }
        let slots: NameSlots
        do throws(SystemError) {
            slots = try NameSlots(StateFolder(existing: directory))
        } catch {
            throw SwitchError(error)
        }
        if !slots.arguments.isEmpty {
            // An answer that it has kept itself would fill no set.
            command += slots.arguments + ["--cache-size=0"]
            capabilities.append("NET_ADMIN")
        }
        if spec.hasDHCP { try addLeases(spec) }
        switch try NameService.upstream(of: spec) {
        case .none: command += ["--no-resolv", "--address=/#/"]
        case .servers(let servers): command += ["--no-resolv"] + servers.map { "--server=\($0)" }
        case .host(let file):
            command.append("--resolv-file=\(file)")
            // The directory: the file is replaced by another of its name.
            if file.hasPrefix("/run/") { hostResolver = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]) }
        }
    }

    private mutating func addLeases(_ spec: SwitchSpec) throws(SwitchError) {
        let generation = try attributed(to: "dhcp") { () throws(SystemError) in
            try LeaseFolder.generation(StateFolder(existing: directory))
        }
        command += [
            "--interface=\(FabricName.bridge)", "--dhcp-hostsfile=\(NameService.leases)", "--leasefile-ro", "--no-ping",
            // What a client calls itself is no name of the switch's.
            "--dhcp-authoritative", "--dhcp-ignore-names", "--domain=\(spec.searchDomain)",
            // More than there are ports. The rest tells that it has begun anew.
            "--dhcp-lease-max=\(100_000 + generation)",
        ]
        for subnet in spec.subnets {
            let network = subnet.network.address
            switch subnet.family {
            case .v4: command.append("--dhcp-range=\(network),static,\(subnet.mask),\(NameService.leaseTime)")
            case .v6: command.append("--dhcp-range=\(network),static,\(subnet.length),\(NameService.leaseTime)")
            }
        }
        if spec.hasDHCPv6 { command.append("--enable-ra") }
        if !spec.hasHostLink {
            // It is a way to nowhere.
            command.append("--dhcp-option=option:router")
            if spec.hasDHCPv6 { command.append("--ra-param=\(FabricName.bridge),60,0") }
        }
        // It tells the kernel the client's hardware address before the client has an address (arp(7)).
        if !capabilities.contains("NET_ADMIN") { capabilities.append("NET_ADMIN") }
        // Router advertisements (RFC 4861) are no UDP.
        if spec.hasDHCPv6 { capabilities.append("NET_RAW") }
    }

    /// The least that dnsmasq gives: an address may soon be another's.
    private static let leaseTime = "2m"

    /// What its making would fail for.
    static func check(_ spec: SwitchSpec) throws(SwitchError) {
        if spec.subnets.isEmpty {
            throw SwitchError(
                key: "dns", "a name server needs an address of the switch's own", mend: "give the switch a subnet")
        }
        let domain = spec.searchDomain
        if !DomainName.isValid(domain) {
            throw SwitchError(
                key: "domain", "\"\(domain)\" is no domain", mend: "name one with --domain, such as \"lan\"")
        }
        _ = try program()
        _ = try upstream(of: spec)
    }

    private static func program() throws(SwitchError) -> Program {
        try Program("dnsmasq", package: "dnsmasq-base")
    }

    public static func == (left: NameService, right: NameService) -> Bool {
        left.command == right.command && left.directory == right.directory
    }
}

extension NameService {
    /// Who is asked for names that are not the switch's.
    private enum Upstream {
        /// Nobody: there are no others.
        case none
        case servers([IPAddress])
        /// Those of a resolv.conf(5) of the host's.
        case host(String)
    }

    private static func upstream(of spec: SwitchSpec) throws(SwitchError) -> Upstream {
        if !spec.resolvers.isEmpty { return .servers(spec.resolvers) }
        guard spec.hasHostLink else { return .none }
        // The second is where systemd-resolved(8) tells whom it asks itself.
        var found: [IPAddress] = []
        for file in ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] {
            let servers = try self.servers(in: file)
            if servers.contains(where: { !$0.isLoopback }) { return .host(realPath(file)) }
            found += servers
        }
        let what = found.first.map { "listens on \($0), where no switch leads" } ?? "is not known"
        throw SwitchError(key: "dns", "the host's name server \(what)", mend: "name another with --resolver")
    }

    private static func servers(in file: String) throws(SwitchError) -> [IPAddress] {
        let text: String
        do throws(SystemError) {
            text = try readText(file)
        } catch {
            if error.code == ENOENT { return [] }
            throw SwitchError(error, key: "dns")
        }
        return text.split(separator: "\n").compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            return words.count > 1 && words[0] == "nameserver" ? IPAddress(String(words[1])) : nil
        }
    }
}

/// Where a path leads (realpath(3)); the path itself where that cannot be told.
private func realPath(_ path: String) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard realpath(path, &buffer) != nil else { return path }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

extension SwitchSpec {
    /// The domain that the names of its sandboxes end in.
    public var searchDomain: String { domain ?? name }
}

extension SwitchStore {
    /// How the name server of a switch is to be run; `nil` where the switch has none.
    public func nameService(of name: String) throws(SwitchError) -> NameService? {
        guard let spec = try find(name), spec.hasDNS else { return nil }
        return try NameService(spec, directory: path(name))
    }

    /// Whether somebody answers on the name server's addresses.
    public func answersNames(_ name: String) throws(SwitchError) -> Bool {
        let fabric = try existing(name)
        for subnet in fabric.spec.subnets {
            let isOpen = try attributed(to: "dns") { () throws(SystemError) in
                try canConnect(to: subnet.address, port: 53, in: fabric.namespace.number)
            }
            if !isOpen { return false }
        }
        return true
    }
}

/// Whether a TCP connection can be opened from the network namespace behind a descriptor.
private func canConnect(to address: IPAddress, port: UInt16, in namespace: Int32) throws(SystemError) -> Bool {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let family = address.family == .v4 ? AF_INET : AF_INET6
    let connection = try openSocket(in: namespace, family, type, 0)
    let number = connection.number
    do throws(SystemError) {
        try check("reach the name server at \(address)") { linux_connect_ip(number, family, address.bytes, port) }
        return true
    } catch {
        if error.code == ECONNREFUSED { return false }
        throw error
    }
}
