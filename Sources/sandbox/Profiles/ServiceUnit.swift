import Glibc
import Profile

/// A unit that runs a profile as a service of the system (systemd.service(5)).
struct ServiceUnit {
    /// The absolute path of `sandbox`.
    var executable: String
    /// What `-p` takes: a name that a service finds, or an absolute path.
    var selection: String
    /// The sandbox's name.
    var name: String
    /// Words of `--set`, as the user gave them.
    var settings: [String] = []
    var profile: Profile
    var environment: [(name: String, value: String)] = []
    /// What `$PWD` stands for in the profile; nil where it is not in it.
    var directory: String?
    /// Whether man(1) finds sandbox(1): systemd-analyze(1) complains of a page that is not there.
    var hasManual = false

    func text() throws(UsageError) -> String {
        var unit = "[Unit]\n"
        add("Description", Systemd.plainLine(profile.description ?? "Sandbox \(name)"), to: &unit)
        if hasManual { add("Documentation", "man:sandbox(1)", to: &unit) }
        if sharesNetwork { add("After", "network.target", to: &unit) }
        addStartLimit(to: &unit)
        unit += "\n[Service]\nType=exec\n"
        for variable in environment {
            add("Environment", Systemd.word("\(variable.name)=\(variable.value)", isExpanded: false), to: &unit)
        }
        if let directory { add("WorkingDirectory", try Systemd.directory(directory), to: &unit) }
        add("ExecStart", try commandLine(), to: &unit)
        addEnd(to: &unit)
        if !profile.resources.isEmpty { add("Delegate", "yes", to: &unit) }
        return unit + "\n[Install]\nWantedBy=multi-user.target\n"
    }

    private func add(_ key: String, _ value: String, to unit: inout String) { unit += "\(key)=\(value)\n" }

    private var sharesNetwork: Bool {
        !profile.namespaces.unshare.contains(.net) && profile.namespaces.join[.net] == nil
    }

    /// The record of a run goes with it, so that the next can have its name.
    private func commandLine() throws(UsageError) -> String {
        var words = ["run", "-p", selection, "-n", name, "--rm"]
        for setting in settings { words += ["--set", setting] }
        // Starting again is systemd's part.
        if profile.lifecycle.restart != .no { words += ["--set", "lifecycle.restart=no"] }
        // At the end of the stop's time systemd kills what is in the unit's own control group, where the box may not be.
        if !profile.process.dieWithParent { words += ["--set", "process.die-with-parent=true"] }
        var line = try Systemd.executable(executable)
        for word in words { line += " " + Systemd.word(word, isExpanded: true) }
        return line
    }

    private func addStartLimit(to unit: inout String) {
        switch profile.lifecycle.restart {
        case .no: return
        case .always, .fromSnapshot, .onFailure(limit: nil): add("StartLimitIntervalSec", "0", to: &unit)
        case .onFailure(let limit?):
            // So many starts after the first, each run ending within the ten seconds that make it one of a row.
            let interval = Double(limit) * (10 + Double(profile.lifecycle.restartDelay) / 1000)
            add("StartLimitIntervalSec", "\(Int(interval.rounded(.up)))", to: &unit)
            add("StartLimitBurst", "\(limit + 1)", to: &unit)
        }
    }

    private func addEnd(to unit: inout String) {
        let lifecycle = profile.lifecycle
        if lifecycle.restart != .no {
            add("Restart", lifecycle.restart == .always ? "always" : "on-failure", to: &unit)
            add("RestartSec", Systemd.span(lifecycle.restartDelay), to: &unit)
            // What keeps sandbox from beginning the command will do so again.
            add("RestartPreventExitStatus", "\(ExitStatus.failure)", to: &unit)
        }
        add("KillMode", "mixed", to: &unit)
        // systemd knows this one by its older name.
        add("KillSignal", "SIG" + (lifecycle.stopSignal == "POLL" ? "IO" : lifecycle.stopSignal), to: &unit)
        if let number = Systemd.signalNumber(lifecycle.stopSignal) {
            add("SuccessExitStatus", "\(128 + number)", to: &unit)
        }
        // To systemd 0 is no limit at all.
        let timeout = Int((lifecycle.stopTimeout * 1000).rounded())
        add("TimeoutStopSec", Systemd.span(max(1, timeout)), to: &unit)
    }
}

/// The syntax of unit files: systemd.syntax(7), systemd.unit(5) on specifiers, systemd.service(5) on command lines.
enum Systemd {
    /// One word: in quotes where it holds anything out of the ordinary.
    /// - Parameter isExpanded: whether variables are replaced there, as in a command line.
    static func word(_ text: String, isExpanded: Bool) -> String {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy(isPlain)
        if isPlain { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "\"": quoted += "\\" + String(scalar)
            case "%": quoted += "%%"
            case "$" where isExpanded: quoted += "$$"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_-./:=,+@".utf8.contains(byte)
        }
    }

    /// The first word of a command line, which is checked more strictly and in which no variable is replaced.
    static func executable(_ path: String) throws(UsageError) -> String {
        let isTaken = path.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && scalar.value != 0x7f && !"\"'\\".unicodeScalars.contains(scalar)
        }
        guard isTaken else {
            throw UsageError(
                "systemd takes no executable with quotes, backslashes or control characters in its path: "
                    + "\(printable(path)); install sandbox elsewhere", command: "sandbox profile unit")
        }
        return word(path, isExpanded: false)
    }

    /// A value that is the rest of its line.
    static func directory(_ path: String) throws(UsageError) -> String {
        guard path.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
            throw UsageError(
                "a unit file cannot name the directory \(printable(path)); change to another",
                command: "sandbox profile unit")
        }
        let line = doubled(path)
        // A backslash would join the next line to it, and a space be cut off.
        return line.hasSuffix("\\") || line.hasSuffix(" ") ? line + "/" : line
    }

    /// Text for people, on one line.
    static func plainLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars { line.unicodeScalars.append(isUnsafe(scalar) ? " " : scalar) }
        while line.hasSuffix("\\") || line.hasSuffix(" ") { line.removeLast() }
        return doubled(line)
    }

    private static func doubled(_ text: String) -> String {
        text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
    }

    /// systemd.time(7).
    static func span(_ milliseconds: Int) -> String {
        milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }

    /// The number of a signal that the profile language names; nil where the machine has none such.
    static func signalNumber(_ name: String) -> Int32? {
        let (first, last) = (__libc_current_sigrtmin(), __libc_current_sigrtmax())
        if name == "RTMIN" { return first }
        if name == "RTMAX" { return last }
        if name.hasPrefix("RTMIN+") { return Int32(name.dropFirst(6)).map { first + $0 } }
        if name.hasPrefix("RTMAX-") { return Int32(name.dropFirst(6)).map { last - $0 } }
        for number in 1..<first {
            if let known = sigabbrev_np(number), String(cString: known) == name { return number }
        }
        return nil
    }
}
