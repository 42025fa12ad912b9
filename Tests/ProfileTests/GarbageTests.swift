import Testing

@testable import Profile

struct GarbageTests {
    private func message(_ bytes: [UInt8]) -> String {
        let store = ProfileStore(directories: ["/d"], read: { _ in bytes }, list: { _ in [] })
        do {
            _ = try store.load(["a"])
            return "no error"
        } catch {
            return error.message
        }
    }

    @Test func syntaxErrorsHaveTheirPlace() {
        #expect(problem("[process]\nnice = \n") == "a.toml:2:8: TOML: expected a value")
        #expect(problem("[process\n") == "a.toml:1:9: TOML: expected ] after the table's name")
        #expect(problem("[process]\nnice 1") == "a.toml:2:6: TOML: expected = after the key")
        #expect(problem("[process]\nuser = \"a") == "a.toml:2:8: TOML: a string without an end")
        #expect(problem("x = [1 2]") == "a.toml:1:8: TOML: expected , or ] in the list")
        #expect(problem("x = { a = 1\n}") == "a.toml:1:12: TOML: expected , or } in the table, on the same line")
        #expect(problem("x = 1 y = 2") == "a.toml:1:7: TOML: more than one thing on a line")
        #expect(
            problem("[process]\nnice = 1\nnice = 2")
                == "a.toml:3:8: TOML: key-value pair: cannot redefine existing integer 'nice'")
        #expect(
            problem("[process]\nnice = 99999999999999999999")
                == "a.toml:2:8: TOML: decimal integer: '99999999999999999999' is not representable in 64 bits")
        #expect(
            problem("[process]\nnice = 1\n[process]\n")
                == "a.toml:3:1: TOML: table header: cannot redefine existing table 'process'")
        #expect(problem("a = \"\\q\"") == "a.toml:1:7: TOML: string: unknown escape sequence '\\q'")
    }

    @Test func aHeaderWithoutAKeyIsAnError() {
        #expect(problem("process.nice = 1\n [=x]") == "a.toml:2:3: TOML: expected a key")
        #expect(problem("[[,]]") == "a.toml:1:3: TOML: expected a key")
        #expect(problem("process.command = [\n  [{") != "no error")
        #expect(problem("process.environment.set.A = \"\"\"\n[=\n\"\"\"") == "no error")
    }

    @Test func binaryFilesAreRefusedWithTheByte() {
        #expect(message([0x7F, 0x45, 0x4C, 0x46, 0]) == "/d/a.toml:1:5: a NUL byte: this is no TOML file")
        #expect(
            message(Array("# ä\nx = \"".utf8) + [0xFF, 0x22])
                == "/d/a.toml:2:6: not UTF-8 text: this is no TOML file")
        #expect(
            problem("[process]\nuser = \"a\\u0000b\"") == "a.toml:2:10: TOML: a NUL character cannot be part of a value"
        )
        #expect(problem("process.user = \"a\" # \\u0000") == "no error")
        #expect(problem("process.working-directory = '/a\\u0000'") == "no error")
    }

    @Test func hugeFilesAreRefused() {
        let huge = [UInt8](repeating: UInt8(ascii: "#"), count: 10 << 20)
        #expect(message(huge) == "/d/a.toml: larger than 1 MiB: this is no profile; name a TOML file")
        #expect(message([UInt8](repeating: UInt8(ascii: "#"), count: 1 << 20)) == "no error")
    }

    @Test func endlessNestingIsRefused() {
        let dotted = String(repeating: "a.", count: 300_000) + "a = 1"
        #expect(problem(dotted) == "a.toml:1:129: TOML: nested too deeply")
        #expect(
            problem("[" + String(repeating: "a.", count: 300_000) + "a]") == "a.toml:1:130: TOML: nested too deeply")
        #expect(problem("x = " + String(repeating: "[", count: 300_000)).hasPrefix("a.toml:1:"))
        #expect(problem("x = " + String(repeating: "{a=", count: 100_000)).hasPrefix("a.toml:1:"))
        #expect(problem("process.environment.set.A = \"\(String(repeating: ".", count: 500))\"") == "no error")
    }

    /// Short texts of TOML's own pieces: an error or none, never a trap.
    @Test func piecesOfTOMLNeverTrap() {
        let words =
            Array("0123456789+-_.:eExobTZz aftrueinf\\u\"'[]{},=#\r\n\t").map { String($0) } + [
                "\"\"\"", "'''", "1979-05-27", "T07:32:00", "0x", "0b", "\u{feff}", "é", "inf", "nan", "true", "[[",
            ]
        var random = Random(state: 991)
        for round in 0..<20_000 {
            var text = ["a = ", "a = 1", ""][round % 3]
            for _ in 0...random.next(8) { text += words[random.next(words.count)] }
            let line = message(Array(text.utf8))
            #expect(!line.isEmpty && !line.contains("\n") && !line.contains("\r"))
        }
    }

    /// Cut, doubled, flipped and shuffled pieces of a good file: an error or none, never a trap, always one line.
    @Test func mutatedFilesNeverTrap() {
        let good = Array(Self.sample.utf8)
        var random = Random(state: 42)
        var accepted = 0
        for _ in 0..<1500 {
            var bytes = good
            for _ in 0...random.next(4) {
                let at = random.next(bytes.count)
                switch random.next(6) {
                case 0: bytes[at] = UInt8(random.next(256))
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random.next(30)))
                case 2:
                    bytes.insert(
                        contentsOf: bytes[at..<min(bytes.count, at + 1 + random.next(60))], at: random.next(at + 1))
                case 3: bytes[at] = Array("[]{}\"'=.,#\n!-0".utf8)[random.next(14)]
                case 4: bytes.insert(contentsOf: Array("999999999999".utf8), at: at)
                default: bytes.swapAt(at, random.next(bytes.count))
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            let text = message(bytes)
            if text == "no error" { accepted += 1 }
            #expect(!text.contains("\n"))
            #expect(!text.isEmpty)
        }
        // The sample itself is good, so some of the milder changes are harmless.
        #expect(message(good) == "no error")
        #expect(accepted > 0 && accepted < 1500)
    }

    static let sample = """
        description = "sample"
        [namespaces]
        unshare = ["mount", "pid", "uts"]
        join = { net = "/run/netns/blue" }
        [process]
        command = ["nginx", "-g", "daemon off;"]
        hostname = "web"
        umask = "0022"
        environment = { clear = true, keep = ["PATH"], set = { A = "1" } }
        [limits]
        nofile = "1024:4096"
        stack = { soft = "8M", hard = "unlimited" }
        [filesystem]
        hide = ["~/.ssh", '/proc/kcore']
        [[filesystem.bind]]
        from = "/srv/www"
        to = "/var/www"
        options = ["ro", "nosuid"]
        [[filesystem.bind]]
        from = "/opt"
        [security]
        seccomp = { default = "allow", deny = ["@mount"], rules = [
            { calls = ["socket"], action = "EPERM", when = [{ argument = 0, is = "==", value = 0x11 }] },
        ] }
        [resources]
        memory = "512M"
        cpu = 0.5
        """
}

/// A generator whose numbers are the same in every run.
private struct Random {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }
}
