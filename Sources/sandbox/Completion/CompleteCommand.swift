import ArgumentParser
import CCapability
import Glibc
import Profile

/// `sandbox complete KIND -- WORD`: what the completion scripts ask. One candidate a line, a tab, its description.
struct CompleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "complete", abstract: "Candidates for a shell's completion.", shouldDisplay: false)

    @Argument var kind: Completion
    @Argument var word: String = ""

    func run() throws {
        for candidate in candidates(kind, word) where candidate.word.hasPrefix(word) && isPlain(candidate.word) {
            try Output.line(
                candidate.text.isEmpty ? candidate.word : candidate.word + "\t" + printable(candidate.text))
        }
    }

    /// Only what needs no quoting in any shell and moves no cursor.
    private func isPlain(_ word: String) -> Bool {
        word.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                || "._+:/=,!@-".unicodeScalars.contains(scalar)
        }
    }
}

extension Completion: ExpressibleByArgument {}

/// A word that a shell may offer.
struct Candidate: Equatable {
    var word: String
    var text = ""
}

func candidates(_ kind: Completion, _ word: String) -> [Candidate] {
    switch kind {
    case .none, .files, .directories, .places: []
    case .profiles: profileCandidates()
    case .functions: functionCandidates(word)
    case .namespaces:
        listed(NamespaceKind.allCases.map(\.rawValue), word)
            + (word.contains(",") ? [] : [Candidate(word: "all"), Candidate(word: "none")])
    case .joins: joinCandidates(word)
    case .areas: listed(Profile.PrivateArea.allCases.map(\.rawValue), word)
    case .overlays: [Candidate(word: "tmpfs", text: "changes are lost")] + paths(word, onlyDirectories: true)
    case .users: accountCandidates("/etc/passwd")
    case .groups: accountCandidates("/etc/group")
    case .environment: environmentCandidates()
    case .capabilities: listed(capabilityNames(), word)
    case .keys: keyCandidates(word)
    case .resources: keyCandidates(word).filter { $0.word.hasPrefix("resources.") }
    case .sandboxes: sandboxCandidates()
    case .snapshots: snapshotCandidates()
    case .signals: signalCandidates()
    case .switches: switchCandidates()
    case .attachments: Profile.Interface.Attach.allCases.map { Candidate(word: $0.rawValue) }
    case .shells: CompletionScript.Shell.allCases.map { Candidate(word: $0.rawValue) }
    }
}

/// Comma-separated lists: what is there already stays in front, and is not offered again.
private func listed(_ known: [String], _ word: String) -> [Candidate] {
    let parts = word.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    let done = parts.dropLast()
    let prefix = done.map { $0 + "," }.joined()
    let mark = parts.last?.hasPrefix("!") == true ? "!" : ""
    return known.filter { !done.contains($0) }.map { Candidate(word: prefix + mark + $0) }
}

private func joinCandidates(_ word: String) -> [Candidate] {
    guard let (kind, place) = word.split(at: "=") else {
        return NamespaceKind.allCases.map { Candidate(word: $0.rawValue + "=") }
    }
    return paths(place, onlyDirectories: false).map { Candidate(word: kind + "=" + $0.word) }
        + [Candidate(word: kind + "=sandbox:")]
}

/// Entries of the directory that `word` has come to.
private func paths(_ word: String, onlyDirectories: Bool) -> [Candidate] {
    let folder = word.lastIndex(of: "/").map { String(word[...$0]) } ?? ""
    guard let directory = opendir(folder.isEmpty ? "." : folder) else { return [] }
    defer { closedir(directory) }
    var found: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name.hasPrefix(".") { continue }
        var status = stat()
        let isDirectory = stat(folder + name, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        if isDirectory { found.append(folder + name + "/") }
        if !isDirectory && !onlyDirectories { found.append(folder + name) }
    }
    return found.sorted().map { Candidate(word: $0) }
}

/// Names of passwd(5) or group(5).
private func accountCandidates(_ path: String) -> [Candidate] {
    (fileText(path) ?? "").split(separator: "\n").compactMap { line in
        line.split(separator: ":").first.map { Candidate(word: String($0)) }
    }
}

private func environmentCandidates() -> [Candidate] {
    var names: [String] = []
    var entry = environ
    while let text = entry.pointee {
        names.append(String(String(cString: text).prefix { $0 != "=" }))
        entry += 1
    }
    return names.sorted().map { Candidate(word: $0) }
}

/// Names as capabilities(7) has them, without `CAP_`, from libcap.
func capabilityNames() -> [String] {
    (0..<cap_max_bits()).compactMap { number in
        guard let name = cap_to_name(cap_value_t(number)) else { return nil }
        defer { cap_free(name) }
        let text = String(cString: name)
        return text.hasPrefix("cap_") ? text.dropFirst(4).uppercased() : nil
    }
}
