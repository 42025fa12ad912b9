/// The words of a rule of nft(8). A text between quotes is one of them, or part of one, whatever is in it.
public enum RuleWords {
    public static func split(_ rule: String) -> [String] {
        var words = [""]
        var isQuoted = false
        for letter in rule {
            if letter == "\"" { isQuoted.toggle() }
            if letter == " ", !isQuoted { words.append("") } else { words[words.count - 1].append(letter) }
        }
        return words.filter { !$0.isEmpty }
    }

    /// A word without the comma behind it.
    public static func bare(_ word: String) -> String { word.hasSuffix(",") ? String(word.dropLast()) : word }
}
