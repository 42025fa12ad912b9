import Glibc
import Testing

extension Integration {
    /// The profiles that others build on, with the programs of any system.
    @Suite("Profiles of everyday") struct SystemProfileTests {
        @Test("base: secrets, processes and /tmp are out of reach, the rest is as ever", arguments: Caller.all)
        func base(caller: Caller) throws {
            let it = try ProfileBox(caller)
            expectOutput(try it.shell("base", "cat ~/notes; id -u"), ProfileBox.secret + "\(it.box.uid ?? getuid())")
            try it.expectOutOfReach("base", "cat ~/.ssh/id")
            let other = try it.box.start(["sleep", "100"])
            try it.expectOutOfReach("base", "kill -0 \(other.pid) && echo alive", without: "alive")
            try it.box.write("scratch", ProfileBox.secret)
            try it.expectOutOfReach("base", "cat \(it.box.file("scratch"))")
        }

        @Test("base: root has no way to what is hidden", .needsRoot) func rootOfBase() throws {
            let it = try ProfileBox(.root)
            try it.expectOutOfReach("base", "cat /etc/shadow", without: "root:")
            // A host service's socket.
            let socket = "/run/" + it.box.mark
            let program = "import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); "
            let service = try it.box.start(
                ["python3", "-c", program + "print('up', flush=True); s.accept()[0].sendall(b'served')", socket],
                name: "service")
            defer { unlink(socket) }
            try #require(it.box.waitForOutput("up", name: "service"))
            let ask = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(9))"
            expectOutput(try it.run(nil, [], ["python3", "-c", ask, socket]), "b'served'")
            _ = service.wait()
            let refused = try it.run("base", [], ["python3", "-c", ask, socket])
            #expect(refused.err.contains("FileNotFoundError"), "\(refused)")
            // Each of them undoes the hiding where root has its powers.
            let script = "umount -l ~/.ssh; mount -t tmpfs none /mnt; nsenter -t 1 -m true; cat ~/.ssh/id; echo end"
            let boxed = try it.shell("base", script + "; grep Cap /proc/self/status | grep -v 0000000000000000")
            #expect(boxed.text == "end", "\(boxed)")
            let weaker = ["--set", "security.capabilities.keep=[\"ALL\"]", "--set", "security.seccomp.deny=[]"]
            #expect(try it.shell("base", "umount -l ~/.ssh; cat ~/.ssh/id", options: weaker).text == ProfileBox.secret)
        }

        @Test("default: the home can be written, the system cannot", arguments: Caller.all)
        func everyday(caller: Caller) throws {
            let it = try ProfileBox(caller)
            expectOutput(try it.shell("default", "tar -cf ~/a.tar -C ~ notes && tar -tf ~/a.tar"), "notes")
            #expect(Files.exists(it.place + "/home/a.tar"))
            try it.expectOutOfReach("default", "cat ~/.ssh/id")
            try it.expectOutOfReach(
                "default", "rm -f \"$0/outside/x\"; echo y > \"$0/outside/x\" && echo wrote", without: "wrote")
        }

        @Test(
            "no-network: the host's servers are out of reach, loopback works", .needsProgram("curl"),
            arguments: Caller.all)
        func noNetwork(caller: Caller) throws {
            let it = try ProfileBox(caller)
            let url = try it.hostServer()
            try it.expectOutOfReach("no-network", "curl -sS --max-time 10 \(url)")
            let own = """
                python3 -m http.server --bind 127.0.0.1 --directory "$HOME" 8000 >/dev/null 2>&1 &
                curl -sS --retry 40 --retry-delay 0 --retry-connrefused http://127.0.0.1:8000/notes; kill $!
                """
            expectOutput(try it.shell("no-network", own), ProfileBox.secret)
        }

        @Test("read-only-host: all is seen, nothing can be changed", arguments: Caller.all)
        func readOnly(caller: Caller) throws {
            let it = try ProfileBox(caller)
            expectOutput(
                try it.shell("read-only-host", "cat ~/notes && echo x > /tmp/x && cat /tmp/x"), ProfileBox.secret + "x")
            try it.expectOutOfReach("read-only-host", "cat ~/.ssh/id")
            for path in ["$HOME/new", "$0/outside/new", "$0/project/new"] {
                try it.expectOutOfReach(
                    "read-only-host", "rm -f \(path); echo x > \(path) && echo wrote", without: "wrote")
            }
        }

        @Test("throw-away: everything may be changed and nothing is kept", .needsRoot) func throwAway() throws {
            let it = try ProfileBox(.root)
            let change =
                "echo mine > /etc/hostname; rm -r \"$0/home/notes\" /usr/share/doc; echo x > \"$0/outside/x\"; chown 1:1 /etc"
            let check =
                "; cat /etc/hostname; ls \"$0/outside\" \"$0/home/notes\" /usr/share/doc 2>/dev/null; stat -c %u /etc"
            let boxed = try it.shell("throw-away", change + check)
            #expect(boxed.out == "mine\n\(it.place)/outside:\nx\n1\n" || boxed.out == "mine\nx\n1\n", "\(boxed)")
            #expect(Files.read("/etc/hostname") != "mine\n" && it.read("home/notes") == ProfileBox.secret)
            #expect(!Files.exists(it.place + "/outside/x") && Files.exists("/usr/share/doc"))
            try it.expectOutOfReach("throw-away", "cat ~/.ssh/id")
        }

        @Test("throw-away: a home as it was before", arguments: Caller.all) func throwAwayHome(caller: Caller) throws {
            let it = try ProfileBox(caller)
            let script = "echo new > ~/notes; echo x > ~/x; cat ~/notes ~/x; rm -r \"$0/outside\"; ls -d \"$0/outside\""
            let boxed = try it.shell("throw-away", script)
            #expect(boxed.out == "new\nx\n" && boxed.status != 0, "\(boxed)")
            #expect(it.read("home/notes") == ProfileBox.secret && !Files.exists(it.place + "/home/x"))
            #expect(Files.exists(it.place + "/outside"))
            try it.expectOutOfReach("throw-away", "cat ~/.ssh/id")
        }

        @Test("confined: nothing of a home, no variable that may hold a token", arguments: Caller.all)
        func confined(caller: Caller) throws {
            let it = try ProfileBox(caller)
            expectOutput(try it.shell("confined", "ls -A ~; echo x > ~/x && cat ~/x; uname -s"), "x\nLinux")
            #expect(!Files.exists(it.place + "/home/x"))
            try it.expectOutOfReach("confined", "cat ~/notes")
            try it.expectOutOfReach("confined", "echo $PROFILE_TEST_TOKEN")
            try it.expectOutOfReach("confined", "echo x > \"$0/outside/x\" && echo wrote", without: "wrote")
        }

        @Test("shell: an interactive bash with an empty home", .needsRoot) func shell() throws {
            let it = try ProfileBox(.root)
            let shell = try InteractiveShell(in: it.box)
            let variables = it.environment.filter { $0.key != "PROFILE_TEST_TOKEN" }.map { "\($0)=\($1)" }.sorted()
                .joined(separator: " ")
            shell.enter("env \(variables) \(it.box.binary) run -p shell -- bash --norc --noprofile -i")
            #expect(shell.terminal.expect("bash-"), "\(shell.terminal.transcript)")
            shell.enter("uname -n; ls -A ~ | wc -l; cat ~/notes; echo x > ~/x; touch /etc/x; echo do''ne")
            #expect(shell.terminal.expect("sandbox\r\n0\r\n"), "\(shell.terminal.transcript)")
            #expect(shell.terminal.expect("done"), "\(shell.terminal.transcript)")
            shell.enter("sleep 100")
            shell.terminal.settle(0.3)
            shell.terminal.type("\u{3}")
            shell.enter("exit 7")
            #expect(shell.prompt(), "\(shell.terminal.transcript)")
            shell.enter("echo status=$?")
            #expect(shell.terminal.expect("\nstatus=7"), "\(shell.terminal.transcript)")
            #expect(!shell.terminal.transcript.contains(ProfileBox.secret), "\(shell.terminal.transcript)")
            #expect(!Files.exists(it.place + "/home/x") && !Files.exists("/etc/x"))
        }

        @Test("shell: the home is out of reach", arguments: Caller.all) func shellsHome(caller: Caller) throws {
            let it = try ProfileBox(caller)
            try it.expectOutOfReach("shell", "cat ~/notes")
            let own = try it.run("shell", [], [])
            // bash without a terminal reads commands from standard input, which is at its end.
            #expect(own.succeeded, "\(own)")
        }
    }
}
