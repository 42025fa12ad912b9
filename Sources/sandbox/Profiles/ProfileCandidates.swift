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

/// Functions for a chain, and behind a colon the presets of one.
func functionCandidates(_ word: String) -> [Candidate] {
    let store = ProfileStore.ofCaller().functions
    do throws(ProfileError) {
        guard let (name, _) = word.split(at: ":") else {
            return try store.list().filter { !$0.isShadowed }.map {
                Candidate(word: $0.name, text: $0.description ?? "")
            }
        }
        let presets = try store.load([name]).profile.function?.presets.entries ?? []
        return presets.map { Candidate(word: name + ":" + $0.key) }
    } catch {
        return []
    }
}

/// Keys of the profile language as `--set` takes them, and after the equals sign the values that are known.
func keyCandidates(_ word: String) -> [Candidate] { Schema.completions(of: word).map { Candidate(word: $0) } }
