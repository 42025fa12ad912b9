import Glibc
import Testing

extension Integration {
    /// Limits through control groups, version 1 or 2, whichever is mounted.
    @Suite("Resources", .needsRoot, .serialized) struct ResourceTests {
        let box: Box

        init() throws { box = try Box() }

        static let isV2 = ControlGroups.isV2

        static func has(_ controller: String) -> Bool { ControlGroups.has(controller) }

        /// The control group of a started box: its path under the hierarchy of that controller.
        func group(of pid: pid_t, controller: String) -> String? {
            ControlGroups.path(of: pid, controller: controller)
        }

        @Test("memory: who takes more is killed", .enabled(if: has("memory"), "no memory controller"))
        func memory() throws {
            let toml = "[resources]\nmemory = \"64M\"\n"
            let outcome = try box.launch(toml, [], [Payload.probe(), "memory", "200"])
            #expect(outcome.status == 137, "\(outcome)")
            #expect(try box.launch(toml, [], [Payload.probe(), "memory", "20"]).succeeded)
            #expect(try box.launch("", [], [Payload.probe(), "memory", "200"]).succeeded)
        }

        @Test("memory, under a pid namespace", .enabled(if: has("memory"), "no memory controller"))
        func memorySupervised() throws {
            let toml = "[namespaces]\nunshare = [\"pid\", \"mount\"]\n[resources]\nmemory = \"64M\"\n"
            let outcome = try box.launch(toml, [], [Payload.probe(), "memory", "200"])
            #expect(outcome.ending == .exited(137), "\(outcome)")
        }

        @Test("pids", .enabled(if: has("pids"), "no pids controller")) func pids() throws {
            let limited = try box.launch("[resources]\npids = 10\n", [], [Payload.probe(), "processes", "50"])
            #expect(limited.out.contains("EAGAIN") && (Int(limited.column(0).first ?? "") ?? 99) <= 10, "\(limited)")
            expectOutput(try box.launch("", [], [Payload.probe(), "processes", "50"]), "50 ok")
        }

        @Test("cpu, in the kernel's own figures", .enabled(if: has("cpu"), "no cpu controller")) func cpu() throws {
            let child = try box.startSandbox("[resources]\ncpu = 0.5\n", [], ["sh", "-c", "echo up; exec sleep 100"])
            defer { child.end() }
            try #require(box.waitForOutput("up"))
            let path = try #require(group(of: child.pid, controller: "cpu"))
            if Self.isV2 {
                #expect(Files.read(path + "/cpu.max")?.hasPrefix("50000 100000") == true)
            } else {
                let quota = Int((Files.read(path + "/cpu.cfs_quota_us") ?? "").filter(\.isNumber)) ?? 0
                let period = Int((Files.read(path + "/cpu.cfs_period_us") ?? "").filter(\.isNumber)) ?? 1
                #expect(quota * 2 == period, "\(quota)/\(period) in \(path)")
            }
        }

        @Test("cpuset", .enabled(if: has("cpuset"), "no cpuset controller")) func cpuset() throws {
            let outcome = try box.launch(
                "[resources]\ncpuset = \"0\"\n", [], ["grep", "Cpus_allowed_list", "/proc/self/status"])
            expectOutput(outcome, "Cpus_allowed_list:\t0")
        }

        @Test("the box has a group of its own, gone when it ends", .enabled(if: has("pids"), "no pids controller"))
        func ownGroup() throws {
            let child = try box.startSandbox("[resources]\npids = 20\n", [], ["sh", "-c", "echo up; exec sleep 100"])
            try #require(box.waitForOutput("up"))
            let path = try #require(group(of: child.pid, controller: "pids"))
            let own = try #require(group(of: getpid(), controller: "pids"))
            #expect(path != own && Files.exists(path))
            #expect(Files.read(path + "/pids.max") == "20\n")
            child.end()
            // What an in-place box leaves is swept by the next command at the latest.
            _ = try box.launch("[resources]\npids = 20\n", ["--unshare", "pid,mount"], ["true"])
            #expect(Clock.waitUntil { !Files.exists(path) }, "\(path) is still there")
        }

        @Test("a named box has one in every hierarchy that serves, without limits too") func tracked() throws {
            let child = try box.startSandbox("", ["-n", "tracked"], ["sh", "-c", "echo up; exec sleep 100"])
            try #require(box.waitForOutput("up"))
            var paths: [String] = []
            for controller in ["memory", "cpu", "cpuacct", "pids", "blkio", "freezer", "cpuset"] {
                if !Self.isV2, !Machine.hasControllerV1(controller) { continue }
                let path = try #require(group(of: child.pid, controller: controller))
                #expect(path.contains("/sandbox/tracked-\(child.pid)-"), "\(controller): \(path)")
                paths.append(path)
            }
            #expect(!paths.isEmpty && paths.allSatisfy { Files.exists($0) })
            child.end()
            // The next command that works on the name clears it away, if no `gc` has done so before.
            let next = try box.launch("", ["-n", "tracked", "--unshare", "pid,mount"], ["true"])
            #expect(next.succeeded, "\(next)")
            #expect(paths.allSatisfy { !Files.exists($0) })
        }

        @Test("a box without name and limits has none") func untracked() throws {
            let outcome = try box.launch("", [], ["cat", "/proc/self/cgroup"])
            #expect(outcome.succeeded && !outcome.out.contains("/sandbox/"), "\(outcome)")
        }

        @Test("a real-time policy goes with it") func realtime() throws {
            let toml = "[process]\nscheduling = { policy = \"fifo\", priority = 3 }\n"
            let outcome = try box.launch(toml, ["-n", "quick", "--unshare", "pid,mount"], ["chrt", "-p", "1"])
            #expect(outcome.out.contains("SCHED_FIFO"), "\(outcome)")
        }

        @Test("a user who may not make one goes without") func unprivilegedName() throws {
            let user = try Box(as: Box.user)
            let options = ["-n", "mine", "--unshare", "user,pid,mount"]
            let outcome = try user.launch("", options, ["cat", "/proc/self/cgroup"])
            #expect(outcome.succeeded && !outcome.out.contains("/sandbox/"), "\(outcome)")
        }

        @Test(
            "a limit that is none is refused",
            arguments: [
                "memory = \"lots\"", "memory = -1", "cpu = 0", "pids = 0", "cpuset = \"0-\"", "cpuset = \"4095\"",
                "io-weight = 0",
            ])
        func refused(line: String) throws {
            expectRefused(try box.launch("[resources]\n\(line)\n", [], ["true"]))
        }

        @Test("a user who may not make control groups is told so") func unprivileged() throws {
            let user = try Box(as: Box.user)
            let outcome = try user.launch("[resources]\npids = 20\n", ["--unshare", "user"], ["true"])
            expectRefused(outcome, naming: "resources")
        }
    }
}
