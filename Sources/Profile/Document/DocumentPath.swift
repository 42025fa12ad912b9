/// The way to one node of a document: `filesystem.bind[0].options`.
public struct DocumentPath: Sendable, Hashable {
    public enum Part: Sendable, Hashable {
        case key(String)
        case index(Int)
    }
    public var parts: [Part]

    public init(_ parts: [Part] = []) { self.parts = parts }

    public init(keys: [String]) {
        parts = []
        for key in keys { parts.append(.key(key)) }
    }

    /// Reads a dotted key as TOML writes it, with `[N]` for the items of a list; nil when it is none.
    public init?(parsing text: String) {
        var scanner = TOMLScanner(text)
        guard let parts = scanner.path() else { return nil }
        self.parts = parts
    }

    func appending(_ key: String) -> DocumentPath { DocumentPath(parts + [.key(key)]) }

    func appending(_ index: Int) -> DocumentPath { DocumentPath(parts + [.index(index)]) }

    /// The keys alone.
    var keys: [String] {
        var keys: [String] = []
        for case .key(let key) in parts { keys.append(key) }
        return keys
    }

    public var text: String {
        var text = ""
        for part in parts {
            switch part {
            case .index(let index): text += "[\(index)]"
            case .key(let key):
                if !text.isEmpty { text += "." }
                text += DocumentPath.isBare(key) ? key : Value.string(key).compactJSON
            }
        }
        return text
    }

    /// Whether TOML takes the key without quotes.
    static func isBare(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.allSatisfy(isBare)
    }

    static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
