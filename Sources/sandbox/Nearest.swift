/// The known word that `word` was most likely meant to be: at most two edits away, or a third of its length.
func nearest(_ word: String, in known: [String]) -> String? {
    let limit = max(1, min(2, word.count / 3 + 1))
    let near = known.map { (word: $0, distance: editDistance(Array(word), Array($0))) }
    return near.filter { $0.distance <= limit }.min { $0.distance < $1.distance }?.word
}

/// Levenshtein's distance.
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (a == b ? 0 : 1))
            diagonal = row[j + 1]
            row[j + 1] = next
        }
    }
    return row[right.count]
}
