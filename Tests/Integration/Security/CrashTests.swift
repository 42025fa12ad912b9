import Glibc
import Testing

extension Integration {
    /// S34: any of our processes may be killed at any moment. What the next command says then is true, and what is left
    /// is cleared away.
    @Suite("Security: killed at every step", .needsRoot, .needsCrashPoints) struct CrashTests {
        /// Whether every scene is as thorough as those that always are.
        static let isThorough = getenv("SANDBOX_TEST_EVERY_STEP") != nil
        static let bare = ["--set", "filesystem.masked-paths=[]", "--set", "filesystem.readonly-paths=[]"]
        static let own = ["--unshare", "pid,mount"] + bare
        static let limits = ["--set", "resources.memory=256M", "--set", "resources.pids=50"]
        static let detached = ["run", "-d", "-n", "@"]
        static let sleep = ["--", "sleep", "1000"]
        static let always = ["--set", "lifecycle.restart=\"always\""]
        static let once = ["--set", "lifecycle.restart=\"on-failure:1\"", "--set", "lifecycle.restart-delay=\"10ms\""]

        /// What is to be filtered: nobody is called there.
        static let bus = [["run", "--", "sh", "-c", "mkdir -p $XDG_RUNTIME_DIR && touch $XDG_RUNTIME_DIR/bus"]]
        static let filtered = own + ["--private", "run", "--set", "dbus.session=\"filtered\""]

        static let launches = [
            CrashScene(name: "in place", command: ["run", "-n", "@", "--", "true"]),
            CrashScene(
                name: "in the foreground", command: ["run", "-n", "@"] + own + ["--", "true"]),
            CrashScene(
                name: "with limits and no name", command: ["run", "--unshare", "pid,mount"] + limits + ["--", "true"]),
            CrashScene(name: "detached with a waiter", command: detached + ["--unshare", "net,mount"] + bare + sleep),
            CrashScene(
                name: "detached with init",
                command: detached + ["--unshare", "pid,mount,net,ipc,uts"] + limits + sleep,
                isThorough: true),
            CrashScene(name: "detached, no record kept", command: detached + ["--rm"] + own + sleep),
            CrashScene(name: "detached on a terminal", command: detached + ["-t"] + own + sleep),
            CrashScene(
                name: "with mapped ids",
                command: detached + own + ["--unshare", "user,pid,mount"]
                    + [
                        "--set", "security.uid-map=[\"0 100000 65536\"]", "--set",
                        "security.gid-map=[\"0 100000 65536\"]",
                    ]
                    + sleep),
            CrashScene(
                name: "a user's with mapped ids",
                command: detached + ["--unshare", "user,pid,mount", "--set", "security.uid-map=\"auto\""] + bare
                    + sleep,
                asUser: true, hasRange: true),
            CrashScene(
                name: "a user's", command: detached + ["--unshare", "user,pid,mount"] + bare + sleep, asUser: true),
            CrashScene(
                name: "with a joined namespace",
                command: detached + ["--join", "uts=/proc/self/ns/uts"] + own + sleep),
            CrashScene(name: "with a filtered bus", before: bus, command: detached + filtered + sleep),
            CrashScene(
                name: "with a filtered bus, in the foreground", before: bus,
                command: ["run", "-n", "@"] + filtered + ["--", "true"]),
            CrashScene(
                name: "that fails", command: detached + own + ["--", "/no/such/program"]),
            CrashScene(name: "that ends at once", command: detached + own + ["--", "true"], goesOn: true),
            CrashScene(
                name: "that begins anew", command: detached + own + once + ["--", "false"], goesOn: true),
            CrashScene(
                name: "without namespaces that begins anew", command: detached + once + ["--", "false"], goesOn: true),
        ]

        static let others = [
            CrashScene(name: "stop", before: [detached + own + sleep], command: ["stop", "@"]),
            CrashScene(name: "stop without namespaces", before: [detached + sleep], command: ["stop", "@"]),
            CrashScene(name: "stop on a terminal", before: [detached + ["-t"] + own + sleep], command: ["stop", "@"]),
            CrashScene(
                name: "stop with a waiter", before: [detached + ["--unshare", "net"] + sleep], command: ["stop", "@"]),
            CrashScene(
                name: "stop by SIGKILL", before: [detached + own + sleep], command: ["stop", "-t", "0", "@"]),
            CrashScene(
                name: "stop of one that begins anew", before: [detached + own + always + sleep],
                command: ["stop", "@"]),
            CrashScene(
                name: "stop of one that waits to begin anew",
                before: [detached + always + ["--set", "lifecycle.restart-delay=\"1h\"", "--", "true"]],
                command: ["stop", "@"], mayWait: true),
            CrashScene(name: "rm", before: [["run", "-n", "@"] + own + ["--", "true"]], command: ["rm", "@"]),
            CrashScene(name: "rm -f", before: [detached + own + sleep], command: ["rm", "-f", "@"]),
            CrashScene(
                name: "rm -f of one that begins anew", before: [detached + own + always + sleep],
                command: ["rm", "-f", "@"]),
            CrashScene(name: "exec", before: [detached + own + sleep], command: ["exec", "@", "--", "true"]),
            CrashScene(name: "exec in place", before: [detached + sleep], command: ["exec", "@", "--", "true"]),
            CrashScene(name: "pause", before: [detached + own + sleep], command: ["pause", "@"]),
            CrashScene(
                name: "resume", before: [detached + own + sleep, ["pause", "@"]], command: ["resume", "@"]),
            CrashScene(
                name: "update", before: [detached + own + sleep],
                command: ["update", "@", "--set", "resources.pids=40"]
            ),
            CrashScene(
                name: "gc", before: [detached + own + limits + sleep], isOrphaned: true, command: ["gc"]),
            CrashScene(name: "ps", before: [detached + own + sleep], isOrphaned: true, command: ["ps", "-a"]),
        ]

        @Test("S34: a launch", arguments: launches) func launch(scene: CrashScene) throws { try killEverywhere(scene) }

        @Test("S34: a command on a sandbox", arguments: others) func command(scene: CrashScene) throws {
            try killEverywhere(scene)
        }

        /// Kills the scene's processes at each of their steps in turn.
        private func killEverywhere(_ scene: CrashScene) throws {
            let whole = try CrashTrial(scene)
            let roles = try whole.steps()
            #expect(roles.map(\.role).contains("main"), "steps of \(scene.name)")
            try check(whole, "nobody", .answers)
            for (role, steps) in roles {
                for (index, number) in steps.turns(all: scene.isThorough || Self.isThorough).enumerated() {
                    let trial = try CrashTrial(scene)
                    let outcome = try trial.perform(role, number)
                    let place = "\(scene.name): \(role) killed at its step \(number), \(steps[number - 1])"
                    #expect(!outcome.timedOut, "\(place): \(outcome)")
                    #expect(outcome.errorLines.count <= 1, "\(place): \(outcome)")
                    try check(trial, place, [.answers, .nothing, .anew, .nothing][index % 4])
                }
            }
        }

        /// What is tried besides listing and clearing away.
        private enum Extra {
            case nothing
            /// `logs` first, and `wait` for what has ended.
            case answers
            /// Another sandbox of the same name, before anything is cleared away.
            case anew
        }

        private func check(_ trial: CrashTrial, _ place: String, _ extra: Extra) throws {
            let (box, name) = (trial.box, trial.name)
            if extra == .answers { try look(trial, place, ["logs", name]) }
            let state = try truth(trial, place)
            let isOver = ["", "stopped"].contains(state)
            if extra == .answers, isOver { try look(trial, place, ["wait", name]) }
            let anew = extra == .anew && isOver
            if anew { try launchAnew(trial, place) }
            let swept = try box.sandbox(["gc"])
            #expect(swept.succeeded, "\(place): gc: \(swept)")
            if !state.isEmpty || anew {
                let removed = try box.sandbox(["rm", "-f", name])
                #expect(removed.succeeded, "\(place): rm -f of what is \(state): \(removed)")
            }
            var left: [String] = []
            _ = Clock.waitUntil(timeout: 5) {
                left = trial.remains
                return left.isEmpty
            }
            #expect(left.isEmpty, "\(place): left of what was \(state): \(left)")
            if extra == .anew, !isOver { try launchAnew(trial, place) }
        }

        private func launchAnew(_ trial: CrashTrial, _ place: String) throws {
            let anew = try trial.box.launch("", ["-n", trial.name], ["true"])
            #expect(anew.succeeded, "\(place): launched anew: \(anew)")
        }

        /// A command that answers, or says in one line why it cannot.
        private func look(_ trial: CrashTrial, _ place: String, _ words: [String]) throws {
            let outcome = try trial.box.sandbox(words, timeout: 15)
            #expect(!outcome.timedOut && outcome.errorLines.count <= 1, "\(place): \(words): \(outcome)")
        }

        /// What `ps` says, and that it is so: what runs has a process, what has ended or is unknown has none, and
        /// nothing is about to begin but what somebody is at work on.
        private func truth(_ trial: CrashTrial, _ place: String) throws -> String {
            var state = ""
            var processes: [pid_t] = []
            let isTrue = try Clock.waitUntil(timeout: 10) {
                let listed = try trial.listed()
                state = listed.state
                processes = trial.processes
                switch state {
                case "running", "paused": return processes.contains(pid_t(listed.pid) ?? -1)
                case "created": return trial.scene.mayWait && !processes.isEmpty
                default: return processes.isEmpty
                }
            }
            #expect(isTrue, "\(place): \"\(state)\" with the processes \(processes.map { Processes.command($0) })")
            return state
        }

        @Test("S34: control: what is killed does leave something, which the clearing away finds") func control() throws
        {
            let scene = try #require(Self.launches.first { $0.name == "detached with init" })
            let whole = try CrashTrial(scene)
            let steps = try #require(try whole.steps().first { $0.role == "main" }).steps
            try check(whole, "control", .nothing)
            for step in ["open state.toml", "group step", "go"] {
                let number = try #require(steps.firstIndex(of: step)) + 1
                let trial = try CrashTrial(scene)
                #expect(try trial.perform("main", number).ending == .signalled(SIGKILL))
                #expect(!trial.remains.isEmpty, "nothing is left at \(step)")
                try check(trial, "control", .answers)
            }
        }

        // MARK: - From outside

        /// Which of our processes is killed.
        enum Victim: CaseIterable, Sendable { case launcher, waiter, initProcess, command }

        static let kinds = [
            own + sleep, ["--unshare", "net,mount"] + bare + sleep, own + always + sleep, ["-t"] + own + limits + sleep,
            own + [
                "--set", "lifecycle.restart=\"always\"", "--set", "lifecycle.restart-delay=\"1ms\"", "--", "sleep",
                "0.02",
            ],
        ]

        @Test("S34: killed from outside, at fifty moments", arguments: kinds) func outside(options: [String]) throws {
            let isBrief = !options.contains("1000")
            let scene = CrashScene(name: "from outside", command: Self.detached + options, mayWait: isBrief)
            let words = scene.command.dropFirst(4)
            for moment in 0..<10 {
                for victim in moment < 5 ? [Victim.launcher] : [.waiter, .initProcess, .command] {
                    let trial = try CrashTrial(scene)
                    let launcher = try trial.box.start(
                        [trial.box.binary, "run", "-d", "-n", trial.name] + words, name: "launcher")
                    if victim == .launcher {
                        Clock.pause(0.004 * Double(moment) + 0.001)
                        launcher.signal(SIGKILL)
                        _ = launcher.wait()
                    } else {
                        #expect(launcher.wait() == .exited(0))
                        Clock.pause(0.007 * Double(moment - 5))
                        let key = victim == .waiter ? "launcher" : victim == .initProcess ? "process" : "application"
                        let (pid, start) = trial.box.recorded(key, of: trial.name) ?? (0, 0)
                        if pid > 0, Processes.startTime(pid) == start { kill(pid, SIGKILL) }
                    }
                    try check(
                        trial, "\(victim) of \(options) killed at moment \(moment)", moment % 2 == 0 ? .answers : .anew)
                }
            }
        }
    }
}
