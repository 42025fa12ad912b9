import Launch
import SandboxKit

/// Names of sandboxes with what has become of them, for completion. A registry that cannot be read offers none.
func sandboxCandidates() -> [Candidate] {
    do throws(LaunchError) {
        let registry = try Registry.ofCaller()
        var found: [Candidate] = []
        for name in try registry.names() {
            guard let record = try registry.find(name) else { continue }
            found.append(Candidate(word: name, text: record.phase.rawValue))
        }
        return found
    } catch {
        return []
    }
}
