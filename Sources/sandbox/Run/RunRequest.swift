import Profile

/// What a `sandbox run` line asks for, before any profile is read.
struct RunRequest: Sendable, Equatable {
    /// Names or files, merged from left to right. Nothing is implied when there are none.
    var profiles: [String] = []
    /// Applied after the profiles, in the order of the command line.
    var overrides: [Override] = []
    var name: String?
    /// The command and its arguments; empty: the profile's own command.
    var command: [String] = []
    /// Where the command begins in `argv`. The words are passed to execve(2) from there, byte for byte, because a
    /// Swift string cannot hold what is not UTF-8.
    var commandStart: Int?
    var isDryRun = false
    var json = false
    var isDetached = false
    var removesRecord = false
    var isViewed = false
    /// The words so far of options whose words are a key's list, by the key.
    private var lists: [String: [String]] = [:]
}

extension RunRequest {
    /// Applies one option. `directory` is what relative paths of the host start from.
    mutating func apply(_ option: RunOption, _ value: String, directory: () -> String) throws(UsageError) {
        switch option.effect {
        case .profile: profiles.append(try option.nonEmpty(value))
        case .name: name = try option.nonEmpty(value)
        case .remove: removesRecord = true
        case .detach: isDetached = true
        case .view: isViewed = true
        case .dryRun: isDryRun = true
        case .json: json = true
        case .oneOrMore(let key):
            lists[key, default: []] += try option.nonEmpty(value).split(separator: ",").map { String($0) }
            let words = lists[key] ?? []
            // In the place of what the option has said before.
            overrides.append(.exactly(key, words.count == 1 ? .string(words[0]) : .strings(words)))
        default: overrides += try option.overrides(value, directory: directory)
        }
    }
}

extension RunOption {
    /// The keys of the profile language that the option stands for.
    fileprivate func overrides(_ value: String, directory: () -> String) throws(UsageError) -> [Override] {
        switch effect {
        case .set: return [try Override.assignment(value)]
        case .unshare: return try Override.unshare(value)
        case .join: return [try Override.join(value)]
        case .bind: return [try Override.bind(value, directory: directory)]
        case .tmpfs: return [try Override.tmpfs(value)]
        case .environment: return [try Override.environment(value)]
        case .text(let key): return [.exactly(key, .string(try nonEmpty(value)))]
        case .path(let key):
            return [.exactly(key, .string(value == "tmpfs" ? value : absolute(try nonEmpty(value), directory)))]
        case .words(let key):
            return Override.words(key, try nonEmpty(value).split(separator: ",").map { String($0) })
        case .item(let key): return Override.words(key, [try nonEmpty(value)])
        case .paths(let key): return Override.words(key, [absolute(try nonEmpty(value), directory)])
        case .constant(let key, .yes): return [.exactly(key, .bool(true))]
        case .constant(let key, .text(let text)): return [.exactly(key, .string(text))]
        case .profile, .name, .remove, .detach, .view, .dryRun, .json, .oneOrMore: return []
        }
    }

    fileprivate func nonEmpty(_ value: String) throws(UsageError) -> String {
        if value.isEmpty { throw UsageError("option '--\(long)' has an empty value") }
        return value
    }
}

/// `path` with the caller's directory in front when it is relative; `~` and `$NAME` are the profile language's own.
func absolute(_ path: String, _ directory: () -> String) -> String {
    switch path.utf8.first {
    case UInt8(ascii: "/"), UInt8(ascii: "~"), UInt8(ascii: "$"), UInt8(ascii: "!"): return path
    default:
        let base = directory()
        if path == "." { return base }
        let rest = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        return (base == "/" ? "" : base) + "/" + rest
    }
}
