import Profile
import Testing

@testable import Launch

@Suite("Displays")
struct DisplayPlanTests {
    private func planned(_ change: (inout Profile) -> Void = { _ in }) throws -> LaunchPlan {
        try plan(host(uid: 0, privileged: true, environment: ["DISPLAY=:5", "XAUTHORITY=/x", "PULSE_SERVER=y", "A=b"]))
        {
            $0.namespaces.unshare = [.mount, .net]
            $0.display.server = .private
            change(&$0)
        }
    }

    @Test("without a server nothing is done") func none() throws {
        let plan = try plan(host(environment: ["DISPLAY=:5"])) { $0.display.clipboard = .both }
        #expect(plan.display == nil)
        #expect(plan.environment == ["DISPLAY=:5"])
    }

    @Test("its variables replace those of others, in the box and for what enters it") func environment() throws {
        let expected = ["A=b", "DISPLAY=:0", "XAUTHORITY=/tmp/.X11-unix/authority"]
        #expect(try planned().environment == expected)
        var profile = Profile()
        profile.display.server = .private
        var box = BoxFacts()
        box.namespaces = [.mount]
        let host = host(uid: 0, privileged: true, environment: ["DISPLAY=:5", "A=b"])
        let entered = try Planner(host: host).exec(
            profile, in: EntryPlan(box: box), command: ["true"], ExecOptions())
        #expect(entered.environment == expected)
    }

    @Test("its files are the box's own, whatever /tmp is") func files() throws {
        #expect(
            try planned().filesystem.outline.suffix(2) == ["tmpfs /tmp/.X11-unix 1777", "tmpfs /var/lib/xkb 1777"])
        let own = try planned { $0.filesystem.privateAreas = [.tmp] }
        #expect(own.filesystem.outline.contains("directory /tmp/.X11-unix 1777"))
        #expect(own.filesystem.outline.contains("read-only /var/lib/xkb"))
        let landlocked = try planned { $0.filesystem.landlock = true }
        #expect(landlocked.filesystem.landlock?.writable.contains("/tmp/.X11-unix") == true)
    }

    @Test("it needs a mount namespace") func namespace() {
        let error = refusal { $0.display.server = .private }
        #expect(error?.key == "display.server" && error?.message.contains("mount namespace") == true)
    }

    @Test("the server listens on sockets of the box alone") func server() throws {
        let words = try planned { $0.display.size = .init(width: 640, height: 480) }.display?.serverArguments ?? []
        for pair in [
            ["-nolisten", "tcp"], ["-nolisten", "local"], ["-rfbport", "-1"], ["-rfbunixmode", "0600"],
            ["-rfbunixpath", "/tmp/.X11-unix/vnc"], ["-auth", "/tmp/.X11-unix/authority"], ["-geometry", "640x480"],
        ] {
            #expect(words.contains(sequence: pair), "\(pair)")
        }
    }

    @Test(
        "text passes which way the clipboard allows, and no other",
        arguments: [
            (Profile.Clipboard.none, 0, 0), (.toBox, 1, 0), (.fromBox, 0, 1), (.both, 1, 1),
        ])
    func clipboard(way: Profile.Clipboard, to: Int, from: Int) throws {
        let words = try planned { $0.display.clipboard = way }.display?.serverArguments ?? []
        #expect(words.contains("-AcceptCutText=\(to)") && words.contains("-SetPrimary=\(to)"))
        #expect(words.contains("-SendCutText=\(from)") && words.contains("-SendPrimary=\(from)"))
    }

    @Test("a box that can be saved shares no memory with its server") func savable() throws {
        #expect(try planned().display?.serverArguments.contains("MIT-SHM") == false)
        #expect(try planned { $0.checkpoint.enabled = true }.display?.serverArguments.contains("MIT-SHM") == true)
    }

    private func shared(_ environment: [String], _ change: (inout Profile) -> Void = { _ in }) throws -> LaunchPlan {
        try plan(host(uid: 0, privileged: true, environment: environment)) {
            $0.namespaces.unshare = [.mount, .net]
            $0.display.server = .host
            change(&$0)
        }
    }

    @Test("the host's compositor comes before its X server") func compositor() throws {
        let wayland = try shared(["WAYLAND_DISPLAY=wayland-0", "XDG_RUNTIME_DIR=/run/user/0", "DISPLAY=:5"])
        #expect(wayland.hostDisplay == .wayland("/run/user/0/wayland-0"))
        #expect(wayland.environment == ["XDG_RUNTIME_DIR=/run/user/0", "WAYLAND_DISPLAY=/tmp/.X11-unix/wayland"])
        #expect(wayland.filesystem.outline.contains("bind /run/user/0/wayland-0 /tmp/.X11-unix/wayland"))
        #expect(wayland.filesystem.withoutCompositor.outline.contains("hide /run/user/0/wayland-0"))
        #expect(!wayland.filesystem.withoutCompositor.outline.contains { $0.hasSuffix(" /tmp/.X11-unix/wayland") })
        // Who waits for it holds what the compositor watches.
        #expect(wayland.supervision == .waiter(initProcess: false, pseudoTerminal: false))
        #expect(wayland.filesystem.outline.contains("hide /run/user/0/pulse"))
        let x11 = try shared(["DISPLAY=:5.0", "XAUTHORITY=/x"])
        #expect(x11.hostDisplay == .x11(5))
        #expect(x11.environment == ["DISPLAY=:5", "XAUTHORITY=/tmp/.X11-unix/authority"])
        #expect(
            x11.filesystem.outline.suffix(2) == [
                "tmpfs /tmp/.X11-unix 1777", "bind /tmp/.X11-unix/X5 /tmp/.X11-unix/X5",
            ])
    }

    @Test("the host's display behind an open abstract socket, or in a box that is to be saved, is refused")
    func hostRefused() {
        func problem(_ change: (inout Profile) -> Void) -> LaunchError? {
            refusal(host(uid: 0, privileged: true, environment: ["DISPLAY=:5"])) {
                $0.display.server = .host
                change(&$0)
            }
        }
        #expect(problem { $0.namespaces.unshare = [.mount] }?.message.contains("abstract socket") == true)
        #expect(problem { $0.namespaces.unshare = [.net] }?.message.contains("mount namespace") == true)
        #expect(
            problem {
                $0.namespaces.unshare = [.mount, .net]
                $0.checkpoint.enabled = true
            }?.message.contains("cannot be saved") == true)
    }

    @Test("what a window manager is called") func manager() throws {
        #expect(try planned().display?.manager == nil)
        #expect(try planned { $0.display.windowManager = .openbox }.display?.manager?.command.first == "openbox")
        #expect(
            try planned { $0.display.windowManager = .matchbox }.display?.manager?.package == "matchbox-window-manager")
    }
}

extension [String] {
    fileprivate func contains(sequence: [String]) -> Bool {
        indices.contains { self[$0...].starts(with: sequence) }
    }
}
