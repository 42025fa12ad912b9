import Kernel
import Launch
import Netlink
import Profile
import SandboxKit

/// What `inspect --format text` prints.
extension Inspection {
    func text(width: Int, style: Style) -> String {
        var text = Sections.text(
            [(summary.record.name, recordLines)], width: width, style: style)
        if let live {
            text += Sections.text(live.sections(profile), width: width, style: style)
        }
        if let planProblem {
            text += Sections.text(
                [("Plan", ["cannot be made again: \(planProblem.message)"])], width: width, style: style)
        }
        if let plan { text += plan.text(width: width, style: style) }
        return text
    }

    private var recordLines: [String] {
        let record = summary.record
        var lines = [summary.state.rawValue + (summary.pid.map { ", pid \($0)" } ?? "")]
        if summary.state == .stopped { lines.append(EndText.of(record)) }
        lines.append("created \(TimeText.local(record.created))")
        if let started = record.started { lines.append("started \(TimeText.local(started))") }
        if let ended = record.ended { lines.append("ended \(TimeText.local(ended))") }
        if record.restarts > 0 { lines.append("begun anew \(record.restarts) times") }
        if !record.profiles.isEmpty { lines.append("profiles " + record.profiles.joined(separator: ", ")) }
        if record.hasInit, let process = record.process { lines.append("process 1 is \(process.pid)") }
        if record.hasWaiter { lines.append("its end is recorded by process \(record.launcher.pid)") }
        for group in record.groups { lines.append("control group \(group.path)") }
        return lines
    }
}

/// Headings with indented, wrapped lines below them.
enum Sections {
    static func text(_ sections: [(label: String, lines: [String])], width: Int, style: Style) -> String {
        var text = ""
        for (label, lines) in sections where !lines.isEmpty {
            text += style.bold(printable(label)) + "\n"
            for line in lines { text += "  " + wrapped(printable(line), width: width - 4, indent: 4) + "\n" }
        }
        return text
    }
}

extension LiveFacts {
    fileprivate func sections(_ profile: Profile) -> [(label: String, lines: [String])] {
        [
            ("Processes", [processes.map { "\($0)" }.joined(separator: " ")].filter { !$0.isEmpty }),
            ("Confinement", confinementLines(profile)),
            ("Live namespaces", namespaces.map { "\($0.kind.rawValue) \($0.id)" + ($0.isOwn ? "" : ", the caller's") }),
            ("Interfaces", interfaces.map { $0.map(\.line) } ?? ["the caller's"]),
            ("Mounts", mounts.map { "\($0.path) \($0.type) \($0.source) (\($0.options.joined(separator: ",")))" }),
            ("Limits in force", limitLines), ("Use", usageLines), ("Not found out", problems),
        ]
    }

    private func confinementLines(_ profile: Profile) -> [String] {
        guard let application else { return ["the application has ended"] }
        func list(_ set: CapabilitySet) -> String {
            set == .ofKernel ? "all" : set.isEmpty ? "none" : set.members.map(\.name).joined(separator: ", ")
        }
        let sets = application.capabilities
        var lines = [
            "user \(application.realUID), group \(application.realGID), as the caller numbers them",
            application.noNewPrivileges ? "no new privileges" : "set-user-ID programs give rights",
            "seccomp mode \(application.seccompWord), filters: \(application.filters)",
        ]
        let named = [
            ("effective", sets.effective), ("permitted", sets.permitted), ("inheritable", sets.inheritable),
            ("bounding", sets.bounding), ("ambient", sets.ambient),
        ]
        for (name, set) in named { lines.append("capabilities, \(name): \(list(set))") }
        if profile.usesLandlock { lines.append("Landlock, as planned: the kernel does not tell") }
        return lines
    }

    private var limitLines: [String] {
        guard let limits else { return [] }
        return CgroupLimits.Key.allCases.compactMap { key in
            let value = limits.value(key)
            return value == .null ? nil : "\(key.rawValue) \(value.compactJSON)"
        }
    }

    private var usageLines: [String] {
        guard let usage else { return [] }
        let mark = source == .processTree ? ", added up from processes" : ""
        return usage.entries.compactMap { $0.value == .null ? nil : "\($0.key) \($0.value.compactJSON)\(mark)" }
    }
}

extension Interface {
    fileprivate var line: String {
        var words = [name, kind ?? "", state, "mtu \(mtu)", mac ?? ""].filter { !$0.isEmpty } + addresses
        words.append(
            "received \(counters.receivedBytes) bytes in \(counters.receivedPackets) packets, "
                + "sent \(counters.sentBytes) in \(counters.sentPackets)")
        return words.joined(separator: " ")
    }
}
