import Addresses
import Profile
import Testing

@testable import Launch

@Suite("Name servers of a box")
struct ResolverTests {
    private var host: HostFacts {
        var host = rootHost()
        host.resolver = { name throws(LaunchError) in
            guard name != "quiet" else { return nil }
            return Resolver(servers: [.v4(0x0a01_0001)], domain: name)
        }
        return host
    }

    private func steps(
        _ mount: Bool = true, _ change: (inout Profile.Network) -> Void
    ) throws(LaunchError) -> [MountStep] {
        try plan(host) {
            $0.namespaces.unshare = mount ? [.net, .mount] : [.net]
            $0.network.interface.switchName = "lan"
            change(&$0.network)
        }.filesystem.steps
    }

    private func file(_ content: String, optional: Bool) -> MountOperation {
        .replace(path: "/etc/resolv.conf", content: content, mode: 0o644, optional: optional)
    }

    @Test("the switch's") func auto() throws {
        #expect(
            try steps { _ in } == [
                MountStep("network.dns", file("search lan\nnameserver 10.1.0.1\n", optional: true))
            ])
        #expect(try steps { $0.interface.switchName = "quiet" } == [])
        #expect(try steps { $0.interface.address = .none } == [])
        #expect(try steps { $0.interface.nameServers = [] } == [])
    }

    @Test("given ones, and a further interface's") func given() throws {
        let step = try steps {
            $0.interface.nameServers = [.address(.v4(0x0102_0304))]
            var other = Profile.Interface()
            other.switchName = "back"
            $0.more = [other]
        }
        let content = "search back\nnameserver 1.2.3.4\nnameserver 10.1.0.1\n"
        #expect(step == [MountStep("network.dns", file(content, optional: false))])
    }

    @Test("without a mount namespace given ones are refused, and the switch's left out") func withoutMounts() throws {
        #expect(try steps(false) { _ in } == [])
        #expect(throws: LaunchError.self) {
            _ = try steps(false) { $0.interface.nameServers = [.address(.v4(0x0102_0304))] }
        }
    }
}
