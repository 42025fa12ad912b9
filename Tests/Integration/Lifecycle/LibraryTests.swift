import Dispatch
import Glibc
import SandboxAsync
import Testing

extension Integration {
    /// The library, used by this very process, which has many threads.
    @Suite("Library", .needsRoot, .serialized, .timeLimit(.minutes(2))) struct LibraryTests {
        let box: Box
        let registry: Registry

        init() throws {
            box = try Box()
            registry = Registry(StateDirectory(path: box.file("state")))
        }

        func request(
            _ script: String, name: String? = nil, _ change: (inout Profile) -> Void = { _ in }
        ) -> LaunchRequest {
            var profile = Profile()
            profile.namespaces.unshare = [.mount, .pid]
            change(&profile)
            var request = LaunchRequest(profile, name: name, command: ["sh", "-c", script])
            request.environment = box.environment.map { "\($0)=\($1)" }
            request.directory = "/"
            return request
        }

        func launch(
            _ script: String, name: String? = nil, _ change: (inout Profile) -> Void = { _ in }
        ) async throws -> AsyncSandbox {
            try await AsyncSandbox.launch(request(script, name: name, change), in: registry, executable: Binary.path)
        }

        /// How many descriptors of this process lead to an inotify or epoll instance.
        func descriptors(_ kind: String) -> Int {
            Files.list("/proc/self/fd").filter { Files.linkTarget("/proc/self/fd/" + $0) == "anon_inode:" + kind }.count
        }

        /// How many descriptors of this process hold a process.
        func descriptors(holding pid: pid_t) -> Int {
            Files.list("/proc/self/fdinfo").filter { name in
                (Files.read("/proc/self/fdinfo/" + name) ?? "").split(separator: "\n").contains("Pid:\t\(pid)")
            }.count
        }

        static func isCancellation(_ result: Result<some Any, any Error>) -> Bool {
            if case .failure(let error) = result { return error is CancellationError }
            return false
        }

        // MARK: - Many at once

        @Test("fifty side by side: each begins, is waited for and ends with its own status; all is told") func fifty()
            async throws
        {
            let events = AsyncEvents(registry)
            try await withThrowingTaskGroup { group in
                for number in 0..<50 {
                    group.addTask {
                        let sandbox = try await launch("exit \(number)", name: "n\(number)")
                        let record = try await sandbox.wait()
                        #expect(record.exitStatus == Int32(number) && record.phase == .stopped, "\(record)")
                        try await sandbox.remove()
                    }
                }
                try await group.waitForAll()
            }
            var told: [String: [String]] = [:]
            for try await event in events {
                told[event.name, default: []].append(event.kind)
                if told.count == 50, told.values.allSatisfy({ $0.last == "removed" }) { break }
            }
            for (name, kinds) in told { #expect(kinds == ["created", "started", "exited", "removed"], "\(name)") }
            #expect(try registry.list().sandboxes.isEmpty)
        }

        @Test("twenty are stopped side by side") func stops() async throws {
            try await withThrowingTaskGroup { group in
                for number in 0..<20 {
                    group.addTask {
                        let sandbox = try await launch("trap 'exit \(number)' TERM; while :; do sleep 0.02; done")
                        // The trap is set before that.
                        try await Task.sleep(for: .milliseconds(200))
                        try await sandbox.stop(timeout: .seconds(60))
                        #expect(try await sandbox.record().exitStatus == Int32(number))
                        try await sandbox.remove()
                    }
                }
                try await group.waitForAll()
            }
        }

        @Test("the calls that block, from sixteen threads") func threads() throws {
            let results = Results()
            DispatchQueue.concurrentPerform(iterations: 16) { number in
                results.add {
                    let request = request("exit \(number)", name: "t\(number)")
                    let sandbox = try Sandbox.launch(request, in: registry, executable: Binary.path)
                    let status = try sandbox.wait(timeout: 60).exitStatus
                    try sandbox.remove()
                    return status ?? -1
                }
            }
            #expect(try results.values().sorted() == Array(0..<16))
        }

        // MARK: - One

        @Test("a sandbox's life: measured, paused, signalled, stopped, removed") func life() async throws {
            let sandbox = try await launch("trap 'echo usr1' USR1; echo ready; while :; do sleep 0.02; done", name: "a")
            let log = { Files.read(box.file("state/sandboxes/a/log")) ?? "" }
            #expect(Clock.waitUntil { log().contains("ready") })
            #expect(try await sandbox.record().phase == .running)
            #expect(try await sandbox.statistics().usage.pids ?? 0 > 0)
            try await sandbox.kill(SIGUSR1)
            #expect(Clock.waitUntil { log().contains("usr1") })
            try await sandbox.pause()
            await #expect(throws: LaunchError.self) { try await sandbox.pause() }
            try await sandbox.resume()
            try await sandbox.killAll(SIGKILL)
            #expect(try await sandbox.wait().exitStatus == 137)
            let again = try await AsyncSandbox("a", in: registry)
            try await again.remove()
            await #expect(throws: LaunchError.self) { try await again.record() }
            await #expect(throws: LaunchError.self) { try await AsyncSandbox("a", in: registry) }
        }

        @Test("who ignores the stop signal is killed when the time is over") func killed() async throws {
            let sandbox = try await launch("trap '' TERM; while :; do sleep 0.02; done")
            try await Task.sleep(for: .milliseconds(200))
            try await sandbox.stop(timeout: .milliseconds(100))
            #expect(try await sandbox.record().exitStatus == 137)
            try await sandbox.stop()
            try await sandbox.remove()
        }

        @Test("a running one is removed by force only") func force() async throws {
            let sandbox = try await launch("exec sleep 1000")
            await #expect(throws: LaunchError.self) { try await sandbox.remove() }
            try await sandbox.remove(force: true)
            #expect(try registry.list().sandboxes.isEmpty)
            var passing = request("exec sleep 1000")
            passing.removesRecord = true
            let other = try await AsyncSandbox.launch(passing, in: registry, executable: Binary.path)
            try await other.remove(force: true)
            let damaged = try await launch("exec sleep 1000", name: "damaged")
            let process = try #require(try await damaged.record().process?.pid)
            try Files.write("garbage", to: box.file("state/sandboxes/damaged/state.toml"), mode: 0o600)
            await #expect { try await damaged.remove() } throws: { "\($0)".contains("damaged") }
            try await damaged.remove(force: true)
            // Whoever adopted it may not have noticed yet.
            #expect(Processes.status(process, "State")?.hasPrefix("Z") ?? true)
            let listing = try registry.list()
            #expect(listing.sandboxes.isEmpty && listing.damaged.isEmpty)
        }

        @Test("one that begins again is waited for further") func restarts() async throws {
            let sandbox = try await launch("exit 3") { $0.lifecycle.restart = .onFailure(limit: 2) }
            let record = try await sandbox.wait()
            #expect(record.restarts == 2 && record.exitStatus == 3, "\(record)")
            try await sandbox.remove()
        }

        @Test("a launch that fails says why and leaves nothing") func failures() async throws {
            var missing = request("")
            missing.command = ["/no/such/program"]
            await #expect { try await AsyncSandbox.launch(missing, in: registry, executable: Binary.path) } throws: {
                ($0 as? LaunchError)?.status == 127 && "\($0)".contains("/no/such/program")
            }
            let asked = request("true")
            await #expect { try await AsyncSandbox.launch(asked, in: registry, executable: "/no/sandbox") } throws: {
                ($0 as? LaunchError)?.message.contains("/no/sandbox") ?? false
            }
            await #expect { try await AsyncSandbox.launch(asked, in: registry, executable: "/bin/false") } throws: {
                ($0 as? LaunchError)?.status == 125
            }
            let relative = Registry(StateDirectory(path: "state"))
            await #expect { try await AsyncSandbox.launch(asked, in: relative, executable: Binary.path) } throws: {
                ($0 as? LaunchError)?.message.contains("absolute") ?? false
            }
            await #expect { try await launch("true", name: "a/b") } throws: { "\($0)".contains("a/b") }
            await #expect { try await launch("true") { $0.process.user = "no-such-user" } } throws: {
                ($0 as? LaunchError)?.key == "process.user"
            }
            #expect(try registry.list().sandboxes.isEmpty)
        }

        // MARK: - Statistics

        @Test("a series of measurements ends with the sandbox") func statistics() async throws {
            let sandbox = try await launch("while :; do :; done")
            var samples: [StatisticsSeries.Sample] = []
            for try await sample in sandbox.statistics(every: .milliseconds(100)) {
                samples.append(sample)
                if samples.count == 3 { try await sandbox.kill(SIGKILL) }
            }
            #expect(samples.count >= 3 && samples.first?.rates == nil)
            #expect(samples.dropFirst().allSatisfy { $0.rates?.cpu ?? 0 > 0 }, "\(samples)")
            try await sandbox.remove()
            for try await _ in sandbox.statistics(every: .milliseconds(1)) { Issue.record("it is gone") }
        }

        // MARK: - Cancellation

        @Test("a wait that is cancelled or whose time is over ends, and the sandbox goes on") func cancelledWait()
            async throws
        {
            let sandbox = try await launch("exec sleep 1000", name: "a")
            let process = try #require(try await sandbox.record().process?.pid)
            let polls = descriptors("[eventpoll]")
            let task = Task { try await sandbox.wait() }
            #expect(Clock.waitUntil { descriptors("[eventpoll]") > polls }, "control: it waits")
            task.cancel()
            #expect(Self.isCancellation(await task.result))
            await #expect { try await sandbox.wait(timeout: .milliseconds(20)) } throws: {
                "\($0)".contains("still runs after 0.02 s")
            }
            let late = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await sandbox.wait()
            }
            #expect(Self.isCancellation(await late.result))
            #expect(try await sandbox.record().phase == .running)
            #expect(descriptors("[eventpoll]") == polls)
            #expect(Clock.waitUntil { descriptors(holding: process) == 0 })
            try await sandbox.remove(force: true)
        }

        @Test("two hundred that wait hold no thread each") func threadless() async throws {
            let sandbox = try await launch("exec sleep 1000")
            let polls = descriptors("[eventpoll]")
            let tasks = (0..<200).map { _ in Task { try await sandbox.wait() } }
            #expect(Clock.waitUntil(timeout: 30) { descriptors("[eventpoll]") == polls + 200 })
            #expect(Files.list("/proc/self/task").count < 150)
            try await sandbox.stop(timeout: .zero)
            for task in tasks { #expect(try await task.value.exitStatus == 137) }
            #expect(descriptors("[eventpoll]") == polls)
            try await sandbox.remove()
        }

        @Test("a stop that is cancelled ends; what was asked for stays asked for") func cancelledStop() async throws {
            let sandbox = try await launch("trap '' TERM; while :; do sleep 0.02; done")
            try await Task.sleep(for: .milliseconds(200))
            let polls = descriptors("[eventpoll]")
            let task = Task { try await sandbox.stop(timeout: .seconds(600)) }
            #expect(Clock.waitUntil { descriptors("[eventpoll]") > polls })
            task.cancel()
            #expect(Self.isCancellation(await task.result))
            #expect(try await sandbox.record().phase == .running)
            try await sandbox.remove(force: true)
        }

        @Test("following events ends when it is cancelled, and leaves nothing open") func cancelledEvents() async throws
        {
            let sandbox = try await launch("exec sleep 1000", name: "a")
            let process = try #require(try await sandbox.record().process?.pid)
            let (polls, watches) = (descriptors("[eventpoll]"), descriptors("inotify"))
            let all = AsyncEvents(registry, since: 0)
            let own = sandbox.events()
            let seen = Seen()
            let task = Task { for try await event in all { await seen.add(event.kind) } }
            let other = Task { for try await event in own { await seen.add("own " + event.kind) } }
            while await seen.kinds.count < 2 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(await seen.kinds == ["created", "started"])
            // Held by both while they wait.
            #expect(Clock.waitUntil { descriptors(holding: process) == 2 && descriptors("inotify") == watches + 2 })
            task.cancel()
            #expect(Self.isCancellation(await task.result))
            kill(process, SIGKILL)
            while await !seen.kinds.contains("own exited") { try await Task.sleep(for: .milliseconds(10)) }
            other.cancel()
            #expect(Self.isCancellation(await other.result))
            #expect(Clock.waitUntil { descriptors("inotify") == watches && descriptors("[eventpoll]") == polls })
            #expect(Clock.waitUntil { descriptors(holding: process) == 0 })
            try await sandbox.remove()
        }

        @Test("measuring ends when it is cancelled") func cancelledStatistics() async throws {
            let sandbox = try await launch("exec sleep 1000")
            let seen = Seen()
            let task = Task {
                for try await sample in sandbox.statistics(every: .seconds(3600)) {
                    await seen.add(sample.statistics.name)
                }
            }
            while await seen.kinds.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            task.cancel()
            #expect(Self.isCancellation(await task.result))
            try await sandbox.remove(force: true)
        }

        @Test("launches that are cancelled leave no sandbox") func cancelledLaunch() async throws {
            let tasks = (0..<10).map { number in
                Task { try await launch("exec sleep 1000", name: "c\(number)") }
            }
            for (number, task) in tasks.enumerated() {
                try await Task.sleep(for: .milliseconds(number))
                task.cancel()
            }
            for task in tasks {
                let result = await task.result
                // One may have been over by then.
                if case .success(let sandbox) = result {
                    try await sandbox.remove(force: true)
                } else {
                    #expect(Self.isCancellation(result), "\(result)")
                }
            }
            #expect(try registry.list().sandboxes.isEmpty)
            #expect(
                Processes.children(of: getpid()).allSatisfy { Processes.command($0).dropFirst().first != "--launch" })
        }

        // MARK: - The example

        @Test("the example program launches, watches and stops") func example() throws {
            let path = ["PATH": Binary.folder + ":" + (box.environment["PATH"] ?? "")]
            let program = Binary.folder + "/watch-sandbox"
            let outcome = try box.run([program, "sh", "-c", "sleep 1.3; exit 5"], environment: path)
            #expect(outcome.succeeded && outcome.lines.count >= 2, "\(outcome)")
            #expect(outcome.lines.first?.hasSuffix(" bytes") ?? false && outcome.text.hasSuffix(" ended with 5"))
            #expect(try registry.list().sandboxes.isEmpty)
            let stopped = try box.run([program, "sleep", "1000"], environment: path)
            #expect(stopped.succeeded && stopped.out.contains("still runs after 10 s"), "\(stopped)")
            #expect(stopped.text.hasSuffix(" ended with 143"), "\(stopped)")
        }
    }
}

private actor Seen {
    private(set) var kinds: [String] = []
    func add(_ kind: String) { kinds.append(kind) }
}

/// What several threads found out.
private final class Results: @unchecked Sendable {
    private let queue = DispatchQueue(label: "results")
    private var results: [Result<Int32, any Error>] = []

    func add(_ body: () throws -> Int32) {
        let result = Result(catching: body)
        queue.sync { results.append(result) }
    }

    func values() throws -> [Int32] { try queue.sync { try results.map { try $0.get() } } }
}
