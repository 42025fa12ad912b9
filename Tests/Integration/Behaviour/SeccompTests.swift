import Glibc
import Testing

extension Integration {
    @Suite("System call filter", .needsRoot) struct SeccompTests {
        let box: Box

        init() throws { box = try Box() }

        func ask(_ toml: String, _ calls: String...) throws -> [String] {
            let outcome = try box.launch(toml, [], [Payload.probe(), "calls"] + calls)
            #expect(outcome.succeeded, "\(outcome)")
            return outcome.lines
        }

        @Test("a deny list of groups") func deny() throws {
            let toml = "[security.seccomp]\ndeny = [\"@reboot\", \"@swap\", \"@module\", \"@keyring\"]\n"
            #expect(
                try ask(toml, "reboot", "swapon", "init_module", "add_key", "getpid") == [
                    "reboot EPERM", "swapon EPERM", "init_module EPERM", "add_key EPERM", "getpid ok",
                ])
            let control = try ask("[security.seccomp]\ndeny = [\"@swap\"]\n", "add_key", "init_module")
            #expect(control.allSatisfy { !$0.hasSuffix("EPERM") }, "control: \(control)")
        }

        @Test("another errno for a denied call") func otherErrno() throws {
            #expect(
                try ask("[security.seccomp]\ndeny = [\"getppid\"]\naction = \"EDOM\"\n", "getppid") == ["getppid EDOM"])
        }

        @Test("an allow list: everything else is denied") func allow() throws {
            let toml = """
                [security.seccomp]
                default = "deny"
                allow = ["@system-service", "@default"]
                """
            #expect(
                try ask(toml, "getpid", "reboot", "swapon") == ["getpid ok", "reboot EPERM", "swapon EPERM"])
        }

        @Test("deny takes out of an allow list") func allowMinus() throws {
            let toml = "[security.seccomp]\ndefault = \"deny\"\nallow = [\"@system-service\"]\ndeny = [\"getppid\"]\n"
            #expect(try ask(toml, "getpid", "getppid") == ["getpid ok", "getppid EPERM"])
        }

        @Test("kill") func kill() throws {
            let toml = "[security.seccomp]\ndeny = [\"getppid\"]\naction = \"kill\"\n"
            #expect(try box.launch(toml, [], [Payload.probe(), "calls", "getppid"]).status == 128 + SIGSYS)
            #expect(try box.launch(toml, [], [Payload.probe(), "calls", "getpid"]).succeeded)
        }

        @Test("log lets the call pass") func log() throws {
            #expect(
                try ask("[security.seccomp]\ndeny = [\"getppid\"]\naction = \"log\"\n", "getppid") == ["getppid ok"])
        }

        @Test("conditions on arguments") func conditions() throws {
            let toml = """
                [[security.seccomp.rules]]
                calls = ["personality"]
                action = "EDOM"
                when = [{ argument = 0, value = 8 }]
                [[security.seccomp.rules]]
                calls = ["socket"]
                action = "EACCES"
                when = [{ argument = 0, is = "==", value = 16 }]
                """
            let script = """
                import ctypes, socket, os
                libc = ctypes.CDLL(None, use_errno=True)
                for value in (8, 0xffffffff):
                    print(libc.personality(ctypes.c_ulong(value)), ctypes.get_errno() if value == 8 else "")
                for family in (socket.AF_NETLINK, socket.AF_UNIX):
                    try: socket.socket(family, socket.SOCK_DGRAM); print("ok")
                    except OSError as error: print(error.errno)
                """
            let outcome = try box.launch(toml, [], ["python3", "-c", script])
            #expect(outcome.succeeded && outcome.lines == ["-1 33", "0 ", "13", "ok"], "\(outcome)")
        }

        @Test("a masked comparison") func masked() throws {
            let toml = """
                [[security.seccomp.rules]]
                calls = ["umask"]
                action = "EDOM"
                when = [{ argument = 0, is = "&==", mask = 0o070, value = 0o020 }]
                """
            // The C library passes umask's result on as it is: minus EDOM, then a mask.
            let script = "import ctypes, os; libc = ctypes.CDLL(None); print(libc.umask(0o022), libc.umask(0o002) >= 0)"
            let outcome = try box.launch(toml, [], ["python3", "-c", script])
            #expect(outcome.succeeded && outcome.text == "-33 True", "\(outcome)")
        }

        @Test("the filter holds for the machine's other system call tables", .needsX86) func architectures() throws {
            let toml = "[security.seccomp]\ndeny = [\"unshare\", \"clone3\"]\naction = \"EDOM\"\n"
            let outcome = try box.launch(toml, [], [Payload.probe(), "userns"])
            for line in ["clone3 EDOM", "unshare EDOM", "unshare-i386 EDOM"] {
                #expect(outcome.lines.contains(line), "\(outcome)")
            }
            #expect(!outcome.lines.contains("unshare-x32 ok"), "\(outcome)")
        }

        @Test("architectures = native: another table is not to be had", .needsX86) func native() throws {
            let toml = "[security.seccomp]\ndeny = [\"swapon\"]\narchitectures = [\"native\"]\n"
            let outcome = try box.launch(toml, [], [Payload.probe(), "userns"])
            #expect(!outcome.lines.contains("unshare-i386 ok"), "\(outcome)")
        }

        @Test(
            "what is no filter is refused",
            arguments: [
                "deny = [\"@no-such-group\"]", "deny = [\"no_such_call\"]",
                "deny = [\"getppid\"]\naction = \"ENOSUCH\"",
                "default = \"maybe\"", "architectures = [\"pdp11\"]\ndeny = [\"getppid\"]",
            ])
        func refused(lines: String) throws {
            expectRefused(try box.launch("[security.seccomp]\n\(lines)\n", [], ["true"]))
        }
    }
}
