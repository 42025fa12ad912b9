import Glibc
import Testing

extension Integration {
    /// `sandbox profile unit`, against systemd's own reading of unit files.
    @Suite("Units of systemd") struct UnitTests {
        static let servable = [
            "browser", "editor", "node", "paint", "pdf-viewer", "python", "redis", "shell", "static-site", "terminal",
            "web-server",
        ]

        private func unit(_ it: ProfileBox, _ words: [String]) throws -> Outcome {
            try it.box.sandbox(
                ["profile", "unit"] + words, environment: it.environment, directory: it.place + "/project")
        }

        /// What systemd has to say about a unit's text, empty when it is good.
        private func complaints(_ it: ProfileBox, _ text: String) throws -> String {
            let path = try it.box.write("verified.service", text)
            let verified = try it.box.run(["systemd-analyze", "verify", "--man=no", path])
            return verified.succeeded ? verified.out + verified.err : "\(verified)"
        }

        @Test("shipped profiles with a command", .needsProgram("systemd-analyze"), arguments: servable)
        func shipped(name: String) throws {
            let it = try ProfileBox(Caller.all.first ?? .user)
            let unit = try unit(it, [name])
            #expect(unit.succeeded, "\(unit)")
            #expect(unit.lines.contains { $0.hasPrefix("ExecStart=/") && $0.contains(" run -p \(name) -n \(name) ") })
            #expect(try complaints(it, unit.out) == "")
        }

        @Test("shipped profiles without a command are refused, each in one line that tells what to do")
        func withoutCommand() throws {
            let it = try ProfileBox(Caller.all.first ?? .user)
            for name in ShippedProfileTests.names where !UnitTests.servable.contains(name) {
                let unit = try unit(it, [name])
                #expect(unit.status == 125 && unit.out.isEmpty, "\(unit)")
                #expect(unit.errorLines.count == 1 && unit.err.contains("process.command"), "\(unit)")
            }
        }

        /// Reads a command line as systemd.syntax(7), systemd.unit(5) and systemd.service(5) say.
        private func words(_ line: some StringProtocol) -> [String] {
            var words: [String] = []
            var word: String?
            var isQuoted = false
            var rest = line.unicodeScalars[...]
            while let scalar = rest.popFirst() {
                switch scalar {
                case "\"":
                    isQuoted.toggle()
                    word = word ?? ""
                case " " where !isQuoted:
                    if let whole = word { words.append(whole) }
                    word = nil
                case "\\":
                    let escaped = rest.popFirst() ?? "\\"
                    switch escaped {
                    case "n": word = (word ?? "") + "\n"
                    case "t": word = (word ?? "") + "\t"
                    case "x":
                        let digits = String(String.UnicodeScalarView(rest.prefix(2)))
                        rest = rest.dropFirst(2)
                        word = (word ?? "") + String(Unicode.Scalar(UInt8(digits, radix: 16) ?? 0))
                    default: word = (word ?? "") + String(escaped)
                    }
                default:
                    if scalar == "%" || scalar == "$", rest.first == scalar { rest.removeFirst() }
                    word = (word ?? "") + String(scalar)
                }
            }
            if let whole = word { words.append(whole) }
            return words
        }

        private func commandLine(_ unit: Outcome) throws -> [String] {
            words(try #require(unit.lines.first { $0.hasPrefix("ExecStart=") }).dropFirst("ExecStart=".count))
        }

        static let odd = "100% \"of\" it's $HOME ${B} $$ \\ %i; a\tb # é"

        @Test("odd characters in names, texts and paths", .needsProgram("systemd-analyze"))
        func oddCharacters() throws {
            let it = try ProfileBox(Caller.all.first ?? .user)
            let folder = "project/odd $x %n \\ é"
            try it.makeDirectory(folder)
            try it.write(
                folder + "/a\"b's.toml",
                """
                description = "50% of\\nExecStartPre=/bin/false \\\\"
                process.command = ["/bin/sh", "-c", 'printf "%s|" "$A" "$0"', '"\\ %n $HOME']
                lifecycle.restart = "always"
                lifecycle.stop-signal = "SIGIO"
                resources.pids = 100
                """)
            let path = it.place + "/" + folder + "/a\"b's.toml"
            let unit = try unit(
                it, [path, "--name", "odd", "--set", "process.environment.set={A='''\(UnitTests.odd)'''}"])
            #expect(unit.succeeded, "\(unit)")
            #expect(try complaints(it, unit.out) == "")
            #expect(!unit.lines.contains { $0.hasPrefix("ExecStartPre") }, "\(unit)")
            let words = try commandLine(unit)
            #expect(words.contains(path))
            // A group for the limit is not what this is about.
            let run = try it.box.run(
                words + ["--set", "resources.pids=!"], environment: it.environment, directory: "/")
            expectOutput(run, UnitTests.odd + "|\"\\ %n $HOME|")
        }

        @Test(
            "the line runs the service, which ends when it is told to", .needsProgram("python3"), arguments: Caller.all)
        func runs(caller: Caller) throws {
            let it = try ProfileBox(caller)
            let unit = try unit(it, ["static-site", "--set", "process.environment.keep=[\"\(Leaks.variable)\"]"])
            let words = try commandLine(unit)
            let directory = try #require(unit.lines.first { $0.hasPrefix("WorkingDirectory=") }).dropFirst(17)
            #expect(directory == it.place + "/project")
            for signal in [SIGTERM, SIGKILL] {
                let child = try it.box.start(
                    ["env", "-C", String(directory)] + it.environment.map { "\($0)=\($1)" }.sorted() + words)
                #expect(it.box.waitForOutput("Serving HTTP"), "\(it.box.output())")
                child.signal(signal)
                let ending = try #require(child.wait())
                #expect(signal == SIGTERM ? ending.shellStatus == 143 : ending == .signalled(SIGKILL), "\(ending)")
                // No process of the box stays, however the one that systemd knows ended: the suite's check of leaks.
            }
        }

        @Test("a name that no sandbox can have needs another")
        func names() throws {
            let it = try ProfileBox(Caller.all.first ?? .user)
            try it.write("project/a b.toml", "process.command = [\"/bin/true\"]")
            let refused = try unit(it, ["./a b.toml"])
            #expect(refused.status == 125 && refused.err.contains("--name"), "\(refused)")
            let named = try unit(it, ["./a b.toml", "-n", "a"])
            #expect(
                try commandLine(named).dropFirst().prefix(5) == [
                    "run", "-p", it.place + "/project/a b.toml", "-n", "a",
                ])
        }

        @Test("a profile of one's own goes by its file, and what it extends must be where a service looks")
        func ownProfiles() throws {
            let it = try ProfileBox(Caller.all.first ?? .user)
            let folder = "home/.config/sandbox/profiles"
            for name in ["home/.config", "home/.config/sandbox", folder] { try it.makeDirectory(name) }
            try it.write(folder + "/mine.toml", "extends = [\"redis\"]")
            try it.write(folder + "/redis.toml", "extends = [\"redis\"]\nprocess.nice = 1")
            try it.write(folder + "/alone.toml", "extends = [\"static-site\"]")
            let own = it.place + "/" + folder
            #expect(try commandLine(unit(it, ["alone"])).dropFirst(3).first == own + "/alone.toml")
            // The same name means the next along the search path, with the home and without.
            #expect(try commandLine(unit(it, ["redis"])).dropFirst(3).first == own + "/redis.toml")
            let refused = try unit(it, ["mine"])
            #expect(refused.status == 125 && refused.err.contains("/etc/sandbox/profiles"), "\(refused)")
        }
    }
}
