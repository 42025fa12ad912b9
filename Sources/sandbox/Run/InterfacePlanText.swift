import Launch
import Profile

extension InterfacePlan {
    /// As `--dry-run --json` has it: the profile's keys, and the name that the interface gets.
    var document: Value {
        guard case .table(let entries) = interface.document else { return .null }
        return .table([("name", .string(name))] + entries.filter { $0.key != "name" })
    }

    /// As `--dry-run` prints it.
    var line: String {
        var words = ["\(name): \(interface.kind?.rawValue ?? "none")"]
        if let name = interface.switchName { words.append("on the switch \(name)") }
        if let device = interface.device { words.append("on \(device)") }
        guard case .table(let entries) = interface.document else { return words.joined(separator: " ") }
        let said: Set<String> = ["attach", "switch", "device", "name"]
        let rest = entries.filter { !said.contains($0.key) }.map { "\($0.key) \($0.value.toml)" }
        return words.joined(separator: " ") + (rest.isEmpty ? "" : "; " + rest.joined(separator: ", "))
    }
}
