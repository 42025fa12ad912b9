/// The nearest known word to one that is unknown.
enum Suggestion {
    static func nearest(to word: String, among words: [String]) -> String? {
        var best: (word: String, distance: Int)?
        let typed = Array(word.utf8)
        for candidate in words {
            let limit = max(1, min(typed.count, candidate.utf8.count) / 2)
            let distance = distance(typed, Array(candidate.utf8))
            if distance <= min(limit, 3), distance < (best?.distance ?? .max) { best = (candidate, distance) }
        }
        return best?.word
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment); letters' case and
    /// `_` for `-` are free.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        // A word this long is no slip of the pen.
        guard left.count <= 64, right.count <= 64 else { return .max }
        let left = left.map(fold)
        let right = right.map(fold)
        var before: [Int] = []
        var previous = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                var cost = previous[column] + (left[row] == right[column] ? 0 : 1)
                cost = min(cost, previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, before[column - 1] + 1)
                }
                current.append(cost)
            }
            before = previous
            previous = current
        }
        return previous[right.count]
    }

    private static func fold(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
        case UInt8(ascii: "_"): UInt8(ascii: "-")
        default: byte
        }
    }
}
