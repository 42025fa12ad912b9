import Glibc
import Testing

extension Integration {
    /// What desktop applications build on, with a real X server and a real session bus outside.
    @Suite("Profiles of the desktop") struct DesktopProfileTests {
        @Test("desktop-base: no session bus", .needsRoot, .needsProgram("dbus-daemon"))
        func sessionBus() throws {
            let it = try ProfileBox(.root)
            let address = "unix:path=\(it.box.path)/run/bus"
            _ = try it.box.start(
                ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address", "--address", address],
                name: "bus")
            try #require(it.box.waitForOutput("unix:", name: "bus"), "\(it.box.output("bus"))")
            let ask =
                "dbus-send --bus=\(address) --print-reply --dest=org.freedesktop.DBus / "
                + "org.freedesktop.DBus.GetId"
            try it.expectOutOfReach("desktop-base", ask, without: "method return")
        }

        @Test("desktop-base: an empty runtime directory of the user's own", arguments: Caller.all)
        func runtimeDirectory(caller: Caller) throws {
            let it = try ProfileBox(caller)
            try it.box.write("run/secret", ProfileBox.secret)
            try it.expectOutOfReach("desktop-base", "cat \(it.box.path)/run/secret")
            let script = "cd $XDG_RUNTIME_DIR; ls -A; echo x > x; cat x; stat -c '%a %u' ."
            expectOutput(try it.shell("desktop-base", script), "x\n700 \(it.box.uid ?? getuid())")
            #expect(!Files.exists(it.box.path + "/run/x"))
        }

        @Test(
            "desktop-base: no display, by its file or its abstract socket",
            .needsRoot, .needsProgram("Xvfb"), .needsProgram("xdpyinfo"))
        func display() throws {
            let hadFolder = Files.exists("/tmp/.X11-unix")
            defer { if !hadFolder { rmdir("/tmp/.X11-unix") } }
            let it = try ProfileBox(.root)
            let server = try it.box.start(
                ["Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-listen", "local", "-noreset"], name: "x")
            defer {
                // It removes its socket and lock by itself.
                server.signal(SIGTERM)
                _ = server.wait()
            }
            try #require(it.box.waitForOutput("\n", name: "x"))
            let number = it.box.output("x").split(separator: "\n").first ?? ""
            let ask = "DISPLAY=:\(number) timeout 10 xdpyinfo | grep 'version number'"
            try it.expectOutOfReach("desktop-base", ask, without: "version number")
            // In a net namespace of the host's the abstract socket would answer.
            let open = ["--set", "namespaces.unshare=[\"mount\", \"pid\", \"ipc\"]"]
            #expect(try it.shell("desktop-base", ask, options: open).out.contains("version number"))
        }
    }
}
