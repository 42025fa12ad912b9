import Checkpoint
import Glibc
import Launch
import Profile

/// Programs that other features call.
func programFindings() -> [HostFinding] {
    let programs = [
        ("dnsmasq", "Switches with DNS or DHCP fail.", "apt-get install dnsmasq-base"),
        ("pasta", "network.attach = \"user\" fails.", "apt-get install passt"),
        ("xdg-dbus-proxy", "dbus.session = \"filtered\" fails.", "apt-get install xdg-dbus-proxy"),
        ("Xvnc", "display.server = \"private\" fails.", "apt-get install tigervnc-standalone-server"),
    ]
    return programs.map { name, cost, fix in
        guard let path = findProgram(name) else {
            return HostFinding(.programs, name.lowercased(), .lacking, "\(name) is not installed", cost: cost, fix: fix)
        }
        return HostFinding(.programs, name.lowercased(), .ok, "\(name): \(path)")
    }
}

/// CRIU's version, as it prints it.
struct CRIUVersion: Equatable, Comparable {
    var major: Int
    var minor: Int

    /// From `Version: 4.2.1`.
    init?(output: String) {
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("Version:") }) else { return nil }
        let numbers = line.dropFirst(8).split { !$0.isNumber }.compactMap { Int($0) }
        guard let first = numbers.first else { return nil }
        major = first
        minor = numbers.count > 1 ? numbers[1] : 0
    }

    init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }
}

/// Where CRIU is looked for: `SANDBOX_CRIU`, our own prefix, PATH.
private func findCRIU() -> String? {
    if let chosen = environmentVariable("SANDBOX_CRIU"), !chosen.isEmpty { return chosen }
    return access(CRIUEngine.ownPath, X_OK) == 0 ? CRIUEngine.ownPath : findProgram("criu")
}

func checkpointFindings(kernel: KernelVersion) -> [HostFinding] {
    guard let path = findCRIU() else {
        return [
            HostFinding(
                .checkpoint, "criu", .lacking, "CRIU is not installed", cost: "checkpoint and restore fail.",
                fix: "make deps, or apt-get install criu where it is 4.2 or newer")
        ]
    }
    let output = Subprocess.run(path, ["--version"]).output
    guard let version = CRIUVersion(output: output) else {
        return [
            HostFinding(
                .checkpoint, "criu", .lacking, "\(path) does not tell its version",
                cost: "checkpoint and restore fail.", fix: "make deps, or set SANDBOX_CRIU to a working CRIU")
        ]
    }
    let finding = criuFinding(path, version, kernel: kernel)
    if finding.state != .ok { return [finding] }
    do throws(LaunchError) {
        return [finding] + criuFindings(try CRIUEngine(path: path).features())
    } catch {
        return [
            finding,
            HostFinding(
                .checkpoint, "criu-features", .lacking, error.message, cost: "checkpoint and restore may fail.",
                fix: "run it as root"),
        ]
    }
}

/// What it can do on this kernel beside saving and restoring.
func criuFindings(_ features: CRIUEngine.Features) -> [HostFinding] {
    let all: [(name: String, has: Bool, what: String, cost: String, fix: String)] = [
        (
            "criu-memory-tracking", features.tracksMemory, "CRIU is told which memory was written to",
            "checkpoint and migrate refuse --pre-copy: no memory is copied while the application runs.",
            "a kernel with CONFIG_MEM_SOFT_DIRTY"
        ),
        (
            "criu-lazy-pages", features.lazyPages, "CRIU brings memory in after the application has begun",
            "A restore is done only when all memory is in.", "a kernel with CONFIG_USERFAULTFD"
        ),
    ]
    return all.map { one in
        one.has
            ? HostFinding(.checkpoint, one.name, .ok, one.what)
            : HostFinding(
                .checkpoint, one.name, .lacking, "not on this kernel: \(one.what)", cost: one.cost, fix: one.fix)
    }
}

/// What is known of CRIU's versions on kernels.
func criuFinding(_ path: String, _ version: CRIUVersion, kernel: KernelVersion) -> HostFinding {
    let name = "CRIU \(version.major).\(version.minor) (\(path))"
    let fix = "make deps, which installs CRIU 4.2 in /usr/local/lib/sandbox/criu"
    if version < CRIUVersion(4, 1), kernel >= KernelVersion(major: 6, minor: 13) {
        return HostFinding(
            .checkpoint, "criu", .lacking, "\(name) is too old for this kernel",
            cost: "It fails with \"vdso: Unexpected rt vDSO area bounds\".", fix: fix)
    }
    if version < CRIUVersion(4, 2), kernel >= KernelVersion(major: 6, minor: 16) {
        return HostFinding(
            .checkpoint, "criu", .lacking, "\(name) is too old for this kernel",
            cost: "It dumps no internet socket here (\"Can't get 1:16 opt\").", fix: fix)
    }
    return HostFinding(.checkpoint, "criu", .ok, name)
}
