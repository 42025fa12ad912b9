import Profile

extension Explanation {
    /// Where its windows appear.
    var display: [Statement] {
        let display = profile.display
        guard display.server == .private else { return [] }
        let own = Statement(
            .confined, "display", "Its windows are on a display of its own: it sees and types into no other program's.")
        switch display.clipboard {
        case .none: return [own, Statement(.confined, "clipboard", "It has a clipboard of its own.")]
        case .toBox, .both:
            let both = display.clipboard == .both ? ", and you may paste what it has copied" : ""
            return [
                own,
                Statement(
                    .medium, "clipboard", "It reads what you copy while you view it\(both).",
                    mend: "display.clipboard = \"none\""),
            ]
        case .fromBox:
            return [
                own,
                Statement(
                    .low, "clipboard", "You may paste what it has copied, commands into a terminal, say.",
                    mend: "display.clipboard = \"none\""),
            ]
        }
    }
}
