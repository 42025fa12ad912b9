import Profile
import SandboxKit

func profileCandidates() -> [Candidate] { [] }
func keyCandidates(_ word: String) -> [Candidate] { [] }
