import Profile
import Testing

@testable import Launch

@Suite("Displays")
struct DisplayPlanTests {
    private func planned(_ change: (inout Profile) -> Void = { _ in }) throws -> LaunchPlan {
        try plan(host(uid: 0, privileged: true, environment: ["DISPLAY=:5", "XAUTHORITY=/x", "PULSE_SERVER=y", "A=b"]))
        {
            $0.namespaces.unshare = [.mount]
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
