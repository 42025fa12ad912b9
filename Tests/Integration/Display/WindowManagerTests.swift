import Testing

extension Integration {
    @Suite("A window manager that begins", .needsRoot, .enabled(if: DisplayBox.isPossible, DisplayBox.reason))
    struct WindowManagerTests {
        /// The command maps its window at once, again and again: each time it is taken care of.
        @Test("it stands before the command begins", arguments: ["openbox", "matchbox"])
        func ready(name: String) throws {
            try #require(Machine.hasProgram(name == "openbox" ? name : "matchbox-window-manager"))
            let box = try Box()
            let options = ["--unshare", "mount,pid,net", "--private", "tmp", "--set", "display.server=private"]
            for _ in 0..<5 {
                let script =
                    "xterm -e 'echo shown > /tmp/shown; sleep 60' & timeout 20 sh -c "
                    + "'until xprop -root _NET_CLIENT_LIST | grep -q 0x; do sleep 0.05; done' && echo managed"
                let managed = try box.shell("", options + ["--set", "display.window-manager=\(name)"], script)
                expectOutput(managed, "managed")
            }
        }

        @Test("one that ends is told of, and nothing begins")
        func ends() throws {
            let box = try Box()
            try box.folder("bin")
            try box.write("bin/openbox", "#!/bin/sh\necho no windows today >&2\nexit 1\n", mode: 0o755)
            let options =
                ["--unshare", "mount,pid,net", "--private", "tmp", "--set", "display.server=private"]
                + ["--set", "display.window-manager=openbox", "--bind", "\(box.file("bin")):/srv"]
                + ["--env", "PATH=/srv:/usr/bin:/bin"]
            expectRefused(
                try box.launch("", options, ["echo", "begun"]),
                naming: "display.window-manager: the window manager did not begin: no windows today")
        }
    }
}
