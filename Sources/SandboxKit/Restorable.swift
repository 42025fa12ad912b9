import Checkpoint
import Profile

/// What a restore needs beside the images, a file of the snapshot.
struct Restorable {
    static let file = "restore.toml"
    let files: [(key: String, role: ExternalFile.Role)]
    let traits: [Traits]
    let mounts: [SavedMount]
    let foreign: [ForeignMount]

    init(_ files: [ExternalFile], _ traits: [Traits], _ mounts: [SavedMount], _ foreign: [ForeignMount]) {
        (self.traits, self.mounts, self.foreign) = (traits, mounts, foreign)
        self.files = files.map { ($0.key, $0.role) }
    }

    var text: String {
        let files = Value.array(files.map { .strings([$0.key, $0.role.rawValue]) })
        return "files = \(files.toml)\n"
            + "processes = \(Value.array(traits.map { $0.value }).toml)\n"
            + "mounts = \(Value.array(mounts.map { $0.value }).toml)\n"
            + "foreign = \(Value.array(foreign.map { $0.value }).toml)\n"
    }

    /// The opposite of ``text``; `nil` for what we did not write.
    init?(_ value: Value) {
        guard case .array(let files)? = value["files"], case .array(let processes)? = value["processes"],
            case .array(let mounts)? = value["mounts"], case .array(let foreign)? = value["foreign"]
        else { return nil }
        var keys: [(String, ExternalFile.Role)] = []
        for file in files {
            guard case .array(let parts) = file, parts.count == 2, case .string(let key) = parts[0],
                case .string(let word) = parts[1], let role = ExternalFile.Role(rawValue: word)
            else { return nil }
            keys.append((key, role))
        }
        self.files = keys
        traits = processes.compactMap { Traits($0) }
        self.mounts = mounts.compactMap { SavedMount($0) }
        self.foreign = foreign.compactMap { ForeignMount($0) }
        guard traits.count == processes.count, self.mounts.count == mounts.count, self.foreign.count == foreign.count
        else { return nil }
    }
}
