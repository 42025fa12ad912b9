import Profile
import SandboxKit

/// Names of profiles, each once, for completion. A directory that cannot be read offers none.
func profileCandidates() -> [Candidate] {
    do throws(ProfileError) {
        return try ProfileStore.ofCaller().list().filter { !$0.isShadowed }.map {
            Candidate(word: $0.name, text: $0.description ?? "")
        }
    } catch {
        return []
    }
}

/// Keys of the profile language as `--set` takes them, and after the equals sign the values that are known.
func keyCandidates(_ word: String) -> [Candidate] {
    let leaves = SchemaLeaf.all
    guard let (key, _) = word.split(at: "=") else {
        return leaves.map { Candidate(word: $0.path + "=", text: $0.key.summary) }
    }
    guard let leaf = leaves.first(where: { $0.path == key }) else { return [] }
    return leaf.values.map { Candidate(word: key + "=" + $0) }
}

/// A key that holds a value, by its path.
struct SchemaLeaf {
    var path: String
    var key: Key

    /// Every key below the sections, in the schema's order, without those of later versions.
    static var all: [SchemaLeaf] { leaves(Schema.root, under: "") }

    private static func leaves(_ keys: [Key], under prefix: String) -> [SchemaLeaf] {
        keys.flatMap { key -> [SchemaLeaf] in
            switch key.kind {
            case .unsupported: []
            case .table(let inner): leaves(inner, under: prefix + key.name + ".")
            default: [SchemaLeaf(path: prefix + key.name, key: key)]
            }
        }
    }

    /// The words that the key takes, where they are few.
    var values: [String] { SchemaLeaf.values(key.kind) }

    static func values(_ kind: Kind) -> [String] {
        switch kind {
        case .boolean: ["true", "false"]
        case .string(.choice(let words)): words
        case .string(.choiceSoFar(let words, later: _)): words
        case .list(let element), .vector(let element): values(element)
        case .namespaces: ["all", "none"] + NamespaceKind.allCases.map(\.rawValue)
        case .idMapping: ["self", "auto"]
        default: []
        }
    }
}
