import Glibc
import Kernel

/// The names of the DNS that rules of a switch's ports lead to, each with sets of its own in the switch's rules: they
/// are made with the switch, so that a new name changes no rule.
struct NameSlots: Equatable {
    static let count = 32
    /// By slot; `nil` where it is free.
    private(set) var names: [String?]

    init() { names = Array(repeating: nil, count: NameSlots.count) }

    init(_ folder: borrowing StateFolder) throws(SystemError) {
        self.init()
        let lines = try folder.read(File.names)?.split(separator: "\n") ?? []
        for (slot, line) in lines.prefix(NameSlots.count).enumerated() where line != "-" { names[slot] = String(line) }
    }

    func write(_ folder: borrowing StateFolder) throws(SystemError) {
        try folder.write(File.names, names.map { ($0 ?? "-") + "\n" }.joined())
    }

    func slot(of name: String) -> Int? { names.firstIndex(of: name) }

    /// Gives a name a free slot; false where there is none.
    mutating func bind(_ name: String) -> Bool {
        guard let free = names.firstIndex(of: nil) else { return false }
        names[free] = name
        return true
    }

    mutating func free(_ slot: Int) { names[slot] = nil }

    /// The name server's arguments by which it adds each answer for a name to the sets of that name. It takes the rule
    /// of the longest name alone, which so names the sets of those that it lies in too.
    var arguments: [String] {
        let table = "bridge#\(Ruleset.rulesTable)"
        return names.compactMap { name in
            guard let name else { return nil }
            let sets = names.enumerated().filter { $0.1.map { name == $0 || name.hasSuffix("." + $0) } ?? false }
                .flatMap { ["4#\(table)#name4_\($0.0)", "6#\(table)#name6_\($0.0)"] }
            return "--nftset=/\(name)/\(sets.joined(separator: ","))"
        }
    }
}
