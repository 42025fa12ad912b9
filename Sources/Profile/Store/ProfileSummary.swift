/// A profile in a listing.
public struct ProfileSummary: Sendable, Equatable {
    public var name: String
    public var path: String
    public var description: String?
    /// Whether a directory earlier on the search path has one of the same name.
    public var isShadowed: Bool
    /// Why the file cannot be read.
    public var problem: String?
}

extension ProfileStore {
    /// Every profile along the search path, sorted by name; a shadowed one comes after what shadows it.
    public func list() throws(ProfileError) -> [ProfileSummary] {
        var profiles: [ProfileSummary] = []
        var seen: Set<String> = []
        for directory in directories {
            for entry in try entries(directory).sorted() where entry.hasSuffix(".toml") {
                let name = String(entry.dropLast(5))
                guard ProfileStore.isName(name) else { continue }
                let path = ProfileStore.join(directory, entry)
                profiles.append(summary(name, path, isShadowed: !seen.insert(name).inserted))
            }
        }
        // A stable order by name keeps that of the search path.
        let indexed = profiles.enumerated().sorted { left, right in
            left.element.name == right.element.name
                ? left.offset < right.offset : left.element.name < right.element.name
        }
        var sorted: [ProfileSummary] = []
        for profile in indexed { sorted.append(profile.element) }
        return sorted
    }

    private func summary(_ name: String, _ path: String, isShadowed: Bool) -> ProfileSummary {
        var summary = ProfileSummary(name: name, path: path, isShadowed: isShadowed)
        do {
            guard let bytes = try read(path) else {
                summary.problem = "\(path): no such file"
                return summary
            }
            let document = try TOMLDocument(file: path, bytes: bytes)
            if case .string(let text)? = document.value["description"] { summary.description = text }
        } catch {
            summary.problem = error.message
        }
        return summary
    }
}
