import Kernel
import Launch
import SandboxKit
import Switching

/// Where packets are looked at, and which.
struct CapturePlace: ~Copyable {
    let interface: String
    /// A network namespace's descriptor, or a process's in it.
    let namespace: Descriptor
    let filter: [String]
    /// The interface is a bridge.
    var isWhole = false
    /// The interface is the switch's end of a port.
    var isFarEnd = false

    /// - Parameter words: a port or an interface where the first of them is one; a filter for the rest.
    static func find(_ name: String, _ words: [String]) throws(LaunchError) -> CapturePlace {
        let (store, registry) = (try SwitchStore.ofCaller(), try Registry.ofCaller())
        if try switched({ () throws(SwitchError) in try store.names() }).contains(name) {
            return try onSwitch(try store.view(name, registry), store, words)
        }
        if try registry.names().contains(name) { return try ofSandbox(name, store, words) }
        throw LaunchError(
            "no switch or sandbox \"\(cut(name, to: 80))\"", mend: "'sandbox switch list' and 'sandbox ps' list them")
    }

    private static func onSwitch(
        _ view: SwitchView, _ store: SwitchStore, _ words: [String]
    ) throws(LaunchError) -> CapturePlace {
        let name = view.spec.name
        let port = words.first.flatMap { word in
            view.ports.first { $0.end == word } ?? view.ports.first { $0.owner == word }
        }
        let rest = Array(words.dropFirst())
        if let port, port.end == nil, let owner = port.owner { return try ofSandbox(owner, store, rest) }
        if port == nil {
            try refusePort(words.first, "the switch \"\(name)\"")
            if view.spec.kind == .macvlan {
                throw LaunchError(
                    "the switch \"\(name)\" is a part of \(view.spec.parent ?? "its parent"), where others pass too",
                    mend: "name one of its sandboxes")
            }
        }
        let namespace = try switched { () throws(SwitchError) in try store.existing(name).takeNamespace() }
        guard let end = port?.end else {
            return CapturePlace(interface: "br0", namespace: namespace, filter: words, isWhole: true)
        }
        return CapturePlace(interface: end, namespace: namespace, filter: rest, isFarEnd: true)
    }

    private static func ofSandbox(
        _ name: String, _ store: SwitchStore, _ words: [String]
    ) throws(LaunchError) -> CapturePlace {
        let record = try Sandbox(name).record()
        guard record.phase == .running, let process = record.process else {
            throw LaunchError("\"\(name)\" does not run", mend: "'sandbox ps -a' tells what has become of it")
        }
        let named = record.ports.first { $0.name == words.first }
        if named == nil { try refusePort(words.first, "the sandbox \"\(name)\"") }
        guard let port = named ?? record.ports.first else {
            throw LaunchError(
                "\"\(name)\" has no interface of its own", mend: "see network.switch in sandbox-profile(5)")
        }
        let filter = named == nil ? words : Array(words.dropFirst())
        if let end = port.end, let fabric = port.switchName {
            let namespace = try switched { () throws(SwitchError) in try store.existing(fabric).takeNamespace() }
            return CapturePlace(interface: end, namespace: namespace, filter: filter, isFarEnd: true)
        }
        do throws(SystemError) {
            if let held = try ProcessHandle(process) {
                return CapturePlace(interface: port.name, namespace: held.takeDescriptor(), filter: filter)
            }
        } catch {
            throw LaunchError(error)
        }
        throw LaunchError("\"\(name)\" has ended", mend: "'sandbox ps -a' tells how")
    }

    /// A word that looks like a port is none of the filter language.
    private static func refusePort(_ word: String?, _ whose: String) throws(LaunchError) {
        guard let word else { return }
        for prefix in ["p", "eth"] where word.hasPrefix(prefix) {
            let number = word.dropFirst(prefix.utf8.count)
            if !number.isEmpty, number.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                throw LaunchError("\(whose) has no port \"\(word)\"", mend: "'sandbox switch show' lists them")
            }
        }
    }
}
