import Testing

@testable import Profile

@Suite("[dbus]")
struct BusTests {
    private static let filtered = "namespaces.unshare = [\"mount\", \"pid\"]\n[dbus]\nsession = \"filtered\"\n"

    @Test func everyKeyReachesTheModel() throws {
        let profile = try load(
            """
            namespaces.unshare = ["mount", "pid"]
            [dbus]
            session = "filtered"
            talk = ["org.freedesktop.Notifications"]
            own = ["org.example.App.*"]
            see = ["org.a.b"]
            call = ["org.a.b=c.d.E@/f/*"]
            broadcast = ["org.a.b=*@/"]
            system = "filtered"
            system-talk = ["org.freedesktop.login1"]
            system-see = ["org.freedesktop.*"]
            """
        ).profile
        #expect(profile.dbus.session.access == .filtered && profile.dbus.system.access == .filtered)
        #expect(profile.dbus.session.talk == ["org.freedesktop.Notifications"])
        #expect(profile.dbus.session.own == ["org.example.App.*"] && profile.dbus.session.see == ["org.a.b"])
        #expect(
            profile.dbus.session.call == ["org.a.b=c.d.E@/f/*"] && profile.dbus.session.broadcast == ["org.a.b=*@/"])
        #expect(profile.dbus.system.talk == ["org.freedesktop.login1"] && profile.dbus.system.own.isEmpty)
        #expect(try Profile(document: profile.document, name: "again") == profile)
    }

    @Test func withoutItNothingIsDoneButForDisplays() throws {
        #expect(try load("[dbus]").profile.buses == Profile.DBus())
        let shown = try load("namespaces.unshare = [\"mount\", \"net\"]\ndisplay.server = \"private\"").profile
        #expect(shown.buses.session.access == .closed && shown.buses.system.access == nil)
        let other = try load(Self.filtered).profile
        #expect(other.buses.system.access == .closed)
        let both = try load(Self.filtered + "system = \"host\"").profile
        #expect(both.buses.system.access == .host)
    }

    @Test(arguments: [
        (
            "session = \"filter\"",
            "a.toml:4:11: dbus.session: unknown value \"filter\"; did you mean \"filtered\"?"
        ),
        (
            "talk = [\"Notifications\"]",
            "a.toml:4:9: dbus.talk: \"Notifications\" is no name on a bus; "
                + "write it like \"org.example.App\", or \"org.example.*\""
        ),
        (
            "own = [\"org.1a\"]",
            "a.toml:4:8: dbus.own: \"org.1a\" is no name on a bus; "
                + "write it like \"org.example.App\", or \"org.example.*\""
        ),
        (
            "call = [\"org.a.b\"]",
            "a.toml:4:9: dbus.call: \"org.a.b\" has no rule; "
                + "write it like \"org.example.App=org.example.Interface.Method@/org/example/*\""
        ),
        (
            "call = [\"org.a.b=x@y\"]",
            "a.toml:4:9: dbus.call: \"org.a.b=x@y\" has no rule that can be read; "
                + "write it like \"org.example.App=org.example.Interface.Method@/org/example/*\""
        ),
    ])
    func whatIsWrongIsNamed(line: String, message: String) {
        let text = Self.filtered.replacing("session = \"filtered\"\n", with: "system = \"host\"\n")
        #expect(problem(text + line) == message)
    }

    @Test func aFilterNeedsNamespacesOfTheBoxesOwn() {
        #expect(problem("[dbus]\nsession = \"none\"").contains("dbus.session: needs a mount namespace"))
        #expect(
            problem("namespaces.unshare = [\"mount\"]\n[dbus]\nsystem = \"filtered\"").contains(
                "dbus.system: needs a pid namespace"))
        #expect(problem(Self.filtered) == "no error")
    }

    @Test func whatContradictsAFilterIsRefused() {
        #expect(
            problem(Self.filtered + "[checkpoint]\nenabled = true").contains("dbus.session: a connection to the host's")
        )
        #expect(
            problem(Self.filtered + "[process.environment.set]\nDBUS_SESSION_BUS_ADDRESS = \"x\"").contains(
                "dbus.session = \"filtered\" sets it"))
        #expect(problem("[dbus]\ntalk = [\"org.a.b\"]").contains("dbus.talk: dbus.session is not filtered"))
        #expect(
            problem(Self.filtered + "system-talk = [\"org.a.b\"]").contains(
                "dbus.system-talk: dbus.system is not filtered"))
    }
}
