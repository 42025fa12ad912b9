import Kernel
import Profile
import Testing

@testable import Launch

@Suite("A box that can be saved")
struct CheckpointPlanTests {
    private func plan(
        isDetached: Bool = true, _ change: (inout Profile) -> Void = { _ in }
    ) throws(LaunchError) -> LaunchPlan {
        var profile = Profile()
        profile.checkpoint.enabled = true
        change(&profile)
        return try Planner(host: rootHost(terminal: true)).plan(profile, command: ["true"], isDetached: isDetached)
    }

    @Test("has process ids of its own and no init of ours, and somebody waits for it")
    func shape() throws {
        let own = try plan()
        #expect(own.isCheckpointable)
        #expect(own.namespaces.unshare == [.pid, .mount])
        #expect(own.supervision == .waiter(initProcess: false, pseudoTerminal: false))
        #expect(own.detachment == .waiter)
        #expect(own.filesystem.steps.contains { $0.operation == .proc(path: "/proc") })
        #expect(try plan(isDetached: false).supervision == .waiter(initProcess: false, pseudoTerminal: false))
    }

    @Test("refuses calls whose results cannot be saved before all that a profile allows")
    func filter() throws {
        let own = try plan { profile in
            profile.security.seccomp = Profile.Seccomp()
            profile.security.seccomp?.allow = ["io_uring_setup"]
        }
        let filter = try #require(try SystemCallFilter(own).filter())
        #expect(filter.rules == SeccompFilter.checkpointRules + [.init(["io_uring_setup"], .allow)])
        var other = own
        other.isCheckpointable = false
        #expect(try SystemCallFilter(other).filter()?.rules == [.init(["io_uring_setup"], .allow)])
    }

    @Test("files that keep namespaces are left out, but not by a user, for whom they are locked")
    func namespaceFiles() throws {
        #expect(try plan().filesystem.dropsNamespaceFiles)
        #expect(try !plan { $0.checkpoint.enabled = false }.filesystem.dropsNamespaceFiles)
        var profile = Profile()
        profile.checkpoint.enabled = true
        let own = try Planner(host: host()).plan(profile, command: ["true"])
        #expect(own.namespaces.unshare.contains(.user) && !own.filesystem.dropsNamespaceFiles)
    }

    @Test("an overlay gives its files handles")
    func overlay() throws {
        let own = try plan { $0.filesystem.overlay = .init(upper: .tmpfs) }
        #expect(own.filesystem.overlay?.hasHandles == true)
        let usual = try plan {
            $0.filesystem.overlay = .init(upper: .tmpfs)
            $0.checkpoint.enabled = false
            $0.namespaces.unshare = [.mount]
        }
        #expect(usual.filesystem.overlay?.hasHandles == false)
    }

    @Test("with Landlock it is an error that says why")
    func landlock() {
        let error = #expect(throws: LaunchError.self) { try plan { $0.filesystem.landlock = true } }
        #expect(error?.key == "filesystem.landlock" && error?.message.contains("CRIU drops") == true)
        let terminal = #expect(throws: LaunchError.self) { try plan { $0.process.terminal = .pty } }
        #expect(terminal?.key == "process.terminal")
    }

    @Test("it is explained with what it costs")
    func explained() {
        var profile = Profile()
        profile.checkpoint.enabled = true
        let said = explain(profile, isRoot: true)
        #expect(said.contains { $0.subject == "checkpoint" && $0.text.contains("io_uring") })
        #expect(said.contains { $0.subject == "processes" && $0.risk == .confined })
        #expect(said.filter { $0.risk >= .low && $0.mend == nil }.isEmpty)
        #expect(explain(Profile(), isRoot: true).allSatisfy { $0.subject != "checkpoint" })
    }
}
