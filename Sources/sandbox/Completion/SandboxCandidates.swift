import Launch
import SandboxKit

/// Names of sandboxes with what has become of them, for completion. A registry that cannot be read offers none.
func sandboxCandidates() -> [Candidate] {
    do throws(LaunchError) {
        let registry = try Registry.ofCaller()
        var found: [Candidate] = []
        for name in try registry.names() { found.append(Candidate(word: name, text: phase(of: name, registry))) }
        return found
    } catch {
        return []
    }
}

private func phase(of name: String, _ registry: Registry) -> String {
    do throws(LaunchError) { return try registry.find(name)?.phase.rawValue ?? "" } catch { return "damaged" }
}
