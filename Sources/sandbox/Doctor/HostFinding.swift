import Profile

/// What one check of this machine found.
struct HostFinding: Sendable, Equatable {
    enum State: String, Sendable { case ok, note, lacking }

    enum Section: String, Sendable, CaseIterable {
        case namespaces, users, mounts, security, resources, network, programs, checkpoint
    }

    var section: Section
    /// A stable word for scripts.
    var id: String
    var state: State
    /// What was found, in one line.
    var text: String
    /// What does not work for the lack of it.
    var cost: String?
    /// The command that mends it.
    var fix: String?
    /// Whether `sandbox run` is not whole without it.
    var isRequired = false

    init(
        _ section: Section, _ id: String, _ state: State, _ text: String, cost: String? = nil, fix: String? = nil,
        isRequired: Bool = false
    ) {
        self.section = section
        self.id = id
        self.state = state
        self.text = text
        self.cost = cost
        self.fix = fix
        self.isRequired = isRequired
    }

    var document: Value {
        .table([
            ("section", .string(section.rawValue)), ("id", .string(id)), ("state", .string(state.rawValue)),
            ("required", .bool(isRequired)), ("text", .string(text)),
            ("cost", cost.map { .string($0) } ?? .null), ("fix", fix.map { .string($0) } ?? .null),
        ])
    }
}

/// All findings, and whether the launcher has what it needs.
struct Diagnosis: Sendable {
    var kernel: String
    var findings: [HostFinding]

    var isReady: Bool { !findings.contains { $0.isRequired && $0.state == .lacking } }

    var document: Value {
        .table([
            ("ready", .bool(isReady)), ("kernel", .string(kernel)),
            ("findings", .array(findings.map(\.document))),
        ])
    }

    func text(width: Int, style: Style) -> String {
        var text = ""
        for section in HostFinding.Section.allCases {
            let group = findings.filter { $0.section == section }
            if group.isEmpty { continue }
            text += style.bold(section.rawValue.prefix(1).uppercased() + section.rawValue.dropFirst()) + "\n"
            for finding in group { text += Diagnosis.text(finding, width: width, style: style) }
            text += "\n"
        }
        let lacking = findings.filter { $0.state == .lacking }
        text += isReady ? "Ready: sandbox run has what it needs" : "Not ready: sandbox run lacks what it needs"
        text += lacking.isEmpty ? ".\n" : "; \(lacking.count) lacking in all.\n"
        return text
    }

    private static func text(_ finding: HostFinding, width: Int, style: Style) -> String {
        let mark =
            switch finding.state {
            case .ok: style(.green, "ok    ")
            case .note: style(.blue, "note  ")
            case .lacking: style(finding.isRequired ? .red : .yellow, "lacks ")
            }
        var text = "  " + mark + wrapped(printable(finding.text), width: width - 8, indent: 8) + "\n"
        if let cost = finding.cost { text += "        " + wrapped(printable(cost), width: width - 8, indent: 8) + "\n" }
        // Never wrapped: it is there to be copied.
        if let fix = finding.fix { text += "        fix: " + printable(fix) + "\n" }
        return text
    }
}
