import Testing

/// The contract of an error: one line that names what is wrong, that status, and nothing on standard output.
func expectRefused(
    _ outcome: Outcome, status: Int32 = 125, naming words: String..., sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(outcome.status == status, "\(outcome)", sourceLocation: sourceLocation)
    #expect(outcome.errorLines.count == 1, "\(outcome)", sourceLocation: sourceLocation)
    #expect(outcome.out.isEmpty, "\(outcome)", sourceLocation: sourceLocation)
    for word in words { #expect(outcome.err.contains(word), "\(outcome)", sourceLocation: sourceLocation) }
}

/// Success, with exactly that output.
func expectOutput(_ outcome: Outcome, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(outcome.succeeded, "\(outcome)", sourceLocation: sourceLocation)
    #expect(outcome.text == text, "\(outcome)", sourceLocation: sourceLocation)
}
