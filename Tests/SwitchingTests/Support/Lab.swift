import Addresses
import Glibc
import Kernel
import Netlink
import Profile
import Testing

@testable import Switching

let isRoot = geteuid() == 0

/// Another network namespace; the calling thread stays where it is.
func newNetwork() throws -> Descriptor { try NetworkNamespace.make() }

/// A switch in a state directory of its own, with applications and functions that are network namespaces and no more.
/// What is left at the end is the caller's to take away: ``end()``.
final class Lab {
    let store: SwitchStore
    private let folder: String
    private var places: [String: Int32] = [:]
    private(set) var ports: [String: Port] = [:]

    init(by way: InterfacePrograms.Way = .ofKernel, _ change: (inout SwitchSpec) -> Void = { _ in }) throws {
        var name = Array("/tmp/sandbox-lab-XXXXXX".utf8CString)
        try #require(mkdtemp(&name) != nil)
        folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        store = SwitchStore(StateDirectory(path: folder), by: way)
        var spec = SwitchSpec(name: "lab")
        spec.subnets = [try #require(IPPrefix("10.251.0.1/24")), try #require(IPPrefix("fd51::1/64"))]
        change(&spec)
        _ = try store.create(spec)
    }

    func end() throws {
        for place in places.keys.sorted() { close(place) }
        try store.delete("lab", force: true)
        // The lock and the folder of the switches are left.
        remove(in: folder)
    }

    private func remove(in path: String) {
        guard let entries = opendir(path) else { return }
        var names: [String] = []
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        closedir(entries)
        for name in names where unlink("\(path)/\(name)") != 0 { remove(in: "\(path)/\(name)") }
        rmdir(path)
    }

    /// Lets a namespace go, as when the last process of a box ends.
    func close(_ place: String) { if let number = places.removeValue(forKey: place) { Glibc.close(number) } }

    func namespace(_ place: String) throws -> Int32 { try #require(places[place]) }

    private func box(_ name: String) throws -> BoxReference {
        places[name] = try newNetwork().take()
        let namespace = try namespace(name)
        try NetlinkSocket(in: namespace).send(.change("lo", LinkChange(isUp: true)))
        return BoxReference(namespace: namespace, pid: try ProcessIdentity.own().pid, owner: name)
    }

    @discardableResult
    func application(_ name: String, _ change: (inout Profile.Interface) -> Void = { _ in }) throws -> Port {
        var interface = Profile.Interface()
        interface.switchName = "lab"
        change(&interface)
        let port = try store.attach(interface, named: "eth0", to: try box(name), host: -1, on: nil)
        ports[name] = port
        return port
    }

    func function(
        _ name: String, _ mode: PortPairPlan.Mode = .bridge(.bridge), failsOpen: Bool = false,
        _ classifier: String? = nil
    ) throws -> ChainElement {
        let pair = try store.attachPair(PortPairPlan(name: name, mode: mode), to: try box(name), on: "lab")
        return ChainElement(
            pair, failsOpen: failsOpen, classifier: try classifier.map { text in try Classifier(parsing: text) })
    }

    func steer(_ application: String, from old: [ChainElement], to new: [ChainElement]) throws {
        try store.steer(port: try #require(ports[application]?.end), on: "lab", from: old, to: new)
    }

    func address(_ application: String, _ family: IPFamily = .v4) throws -> IPAddress {
        try #require(ports[application]?.addresses.first { $0.family == family }).address
    }
}
