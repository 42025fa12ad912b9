/// What was typed at `sandbox top`.
enum TopKey: Equatable {
    case quit, stop, help, reverse, longer, shorter, redraw
    case sort(TopColumn)
    /// Rows, downwards.
    case scroll(Int)
    /// Screens, downwards.
    case page(Int)
    case first, last
    case other

    /// The keys among the bytes of one read. A terminal sends an arrow's three at once.
    static func keys(_ bytes: [UInt8]) -> [TopKey] {
        var keys: [TopKey] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            guard byte == 0x1b, let second = rest.first, second == UInt8(ascii: "[") || second == UInt8(ascii: "O")
            else {
                keys.append(key(byte))
                continue
            }
            rest.removeFirst()
            // ECMA-48: parameters, then one byte from @ on.
            let end = rest.firstIndex { $0 >= 0x40 } ?? rest.endIndex
            keys.append(sequence(Array(rest[..<end]), rest[end...].first))
            rest = rest[end...].dropFirst()
        }
        return keys
    }

    private static func key(_ byte: UInt8) -> TopKey {
        let character = Character(UnicodeScalar(byte))
        if let column = TopColumn.allCases.first(where: { $0.key == character }) { return .sort(column) }
        return switch character {
        case "q", "Q", "\u{3}", "\u{4}": .quit
        case "\u{1a}": .stop
        case "h", "?", "H": .help
        case "R": .reverse
        case "+", "=": .longer
        case "-", "_": .shorter
        case "\u{c}": .redraw
        case "j": .scroll(1)
        case "k": .scroll(-1)
        case " ": .page(1)
        case "g": .first
        case "G": .last
        default: .other
        }
    }

    /// After ESC [ or ESC O, as xterm and its like send them.
    private static func sequence(_ parameters: [UInt8], _ end: UInt8?) -> TopKey {
        switch (String(decoding: parameters, as: UTF8.self), end) {
        case ("", UInt8(ascii: "A")): .scroll(-1)
        case ("", UInt8(ascii: "B")): .scroll(1)
        case ("5", UInt8(ascii: "~")): .page(-1)
        case ("6", UInt8(ascii: "~")): .page(1)
        case ("", UInt8(ascii: "H")), ("1", UInt8(ascii: "~")): .first
        case ("", UInt8(ascii: "F")), ("4", UInt8(ascii: "~")): .last
        default: .other
        }
    }
}
