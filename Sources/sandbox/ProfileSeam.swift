import Profile

struct Override: Sendable, Equatable {
    var key: String
    var value: Value

    init(key: String, value: Value) {
        self.key = key
        self.value = value
    }

    init(key: String, parsing text: String) throws(ProfileError) {
        self.init(key: key, value: .string(text))
    }
}
enum ProfileSearch {
    static func load(_ names: [String], _ overrides: [Override]) throws(ProfileError) -> Profile { Profile() }
}
func profileCandidates() -> [Candidate] { [] }
func keyCandidates(_ word: String) -> [Candidate] { [] }
