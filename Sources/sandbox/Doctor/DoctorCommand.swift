import ArgumentParser
import Glibc
import Profile

/// `sandbox doctor`: what this machine can do for a sandbox, and how to mend what it lacks.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this machine, and say how to mend what it lacks.",
        discussion: """
            Looks at namespaces, mounts, system call filters, control groups, networking, the programs that are used, \
            and CRIU. Nothing is changed: what must be tried is tried in a process of its own, in namespaces that end \
            with it. Exits with 0 when 'sandbox run' has what it needs, with 1 otherwise.
            """)

    @Flag(name: .customLong("json"), help: "Print one JSON document instead of text.")
    var json = false
    @Option(name: .customLong("probe"), help: .hidden)
    var probe: Probe?

    func run() throws {
        if let probe { throw ExitCode(probe.exitStatus()) }
        let diagnosis = diagnose()
        if json {
            try Output.json(diagnosis.document)
        } else {
            try Output.write(diagnosis.text(width: min(terminalWidth() ?? 100, 120), style: .output))
        }
        if !diagnosis.isReady { throw ExitCode(ExitStatus.negative) }
    }
}

extension Probe: ExpressibleByArgument {}

/// Runs all checks.
func diagnose() -> Diagnosis {
    var system = utsname()
    uname(&system)
    let release = withUnsafeBytes(of: system.release) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    let kernel = KernelVersion(release)
    let findings =
        namespaceFindings() + userFindings() + mountFindings() + securityFindings() + resourceFindings()
        + networkFindings() + programFindings() + checkpointFindings(kernel: kernel)
    return Diagnosis(kernel: release, findings: findings)
}

/// The first two numbers of a kernel release.
struct KernelVersion: Equatable, Comparable {
    var major: Int
    var minor: Int

    init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    init(_ release: String) {
        let numbers = release.split { !$0.isNumber }.prefix(2).map { Int($0) ?? 0 }
        major = numbers.first ?? 0
        minor = numbers.count > 1 ? numbers[1] : 0
    }

    static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }
}
