import CLinux
import Glibc
import Testing

/// What the machine can do, asked once.
enum Machine {
    static let isRoot = geteuid() == 0

    static let hasUserNamespaces = works(unprivileged(["unshare", "-Ur", "true"]))

    static let landlock = Int(max(0, linux_landlock_abi()))

    /// Whether a control group hierarchy of version 1 with that controller is mounted.
    static func hasControllerV1(_ name: String) -> Bool { Files.exists("/sys/fs/cgroup/\(name)/cgroup.procs") }

    static let hasControllerV2 = Files.read("/sys/fs/cgroup/cgroup.controllers")?.contains("memory") ?? false

    static func hasProgram(_ name: String) -> Bool {
        (Harness.environment["PATH"] ?? "").split(separator: ":").contains { Files.canExecute("\($0)/\(name)") }
    }

    static let isX86 = works(["sh", "-c", "test $(uname -m) = x86_64"])

    /// Whether the legacy terminal injection is possible at all (CONFIG_LEGACY_TIOCSTI).
    static let hasTerminalInjection = Files.read("/proc/sys/dev/tty/legacy_tiocsti") != "0\n"

    /// Whether the executable is one of a debug build, whose processes can be killed at each of their steps.
    static let hasCrashPoints: Bool = {
        let file = Harness.folder + "/crash-points"
        let environment = Harness.environment.merging(["SANDBOX_CRASH": file + ":nobody:0"]) { $1 }
        _ = try? Child.capture([Binary.path, "run", "--", "true"], environment: environment, directory: "/")
        return Files.exists(file)
    }()

    static func unprivileged(_ arguments: [String]) -> [String] {
        guard isRoot else { return arguments }
        return ["setpriv", "--reuid=\(Box.user)", "--regid=\(Box.user)", "--clear-groups", "--"] + arguments
    }

    static func works(_ arguments: [String]) -> Bool {
        let outcome = try? Child.capture(arguments, environment: Harness.environment, directory: "/")
        return outcome?.succeeded ?? false
    }
}

extension Trait where Self == ConditionTrait {
    static var needsRoot: Self { .enabled(if: Machine.isRoot, "needs root") }

    static var needsUserNamespaces: Self {
        .enabled(if: Machine.hasUserNamespaces, "this kernel gives unprivileged users no user namespaces")
    }

    static func needsLandlock(_ version: Int) -> Self {
        .enabled(if: Machine.landlock >= version, "needs Landlock ABI \(version), the kernel has \(Machine.landlock)")
    }

    static func needsProgram(_ name: String) -> Self {
        .enabled(if: Machine.hasProgram(name), "needs the program \(name)")
    }

    static func needsControllerV1(_ name: String) -> Self {
        .enabled(if: Machine.hasControllerV1(name), "needs the \(name) controller of cgroup v1")
    }

    static var needsCrashPoints: Self { .enabled(if: Machine.hasCrashPoints, "needs an executable of a debug build") }

    static var needsX86: Self { .enabled(if: Machine.isX86, "its system call numbers are those of x86-64") }

    static var needsTerminalInjection: Self {
        .enabled(if: Machine.hasTerminalInjection, "this kernel has TIOCSTI switched off (dev.tty.legacy_tiocsti)")
    }
}
