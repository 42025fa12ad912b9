import Testing

@testable import Profile

/// A search path in memory.
func store(_ files: [String: String], directories: [String] = ["/user", "/system"]) -> ProfileStore {
    ProfileStore(
        directories: directories,
        read: { path in files[path].map { Array($0.utf8) } },
        list: { directory in
            files.keys.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.count + 1)) }
        })
}

/// What loading one file's text gives.
func load(_ text: String, set: [String] = []) throws(ProfileError) -> LoadedProfile {
    var overrides: [Override] = []
    for item in set { overrides.append(try Override(parsing: item)) }
    return try store(["/user/a.toml": text]).load(["a"], overrides: overrides)
}

/// The one line that loading a file ends with, its directory left out.
func problem(_ text: String, set: [String] = []) -> String {
    do {
        _ = try load(text, set: set)
        return "no error"
    } catch {
        return error.message.hasPrefix("/user/") ? String(error.message.dropFirst(6)) : error.message
    }
}
