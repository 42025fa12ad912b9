import Testing

@testable import Profile

@Suite("[display]")
struct DisplayTests {
    @Test func everyKeyReachesTheModel() throws {
        var expected = Profile.Display()
        expected.server = .private
        expected.size = .init(width: 1024, height: 768)
        expected.windowManager = .matchbox
        expected.clipboard = .fromBox
        (expected.gpu, expected.sound) = (true, true)
        let profile = try load(
            """
            namespaces.unshare = ["mount", "net"]
            [display]
            server = "private"
            size = "1024x768"
            window-manager = "matchbox"
            clipboard = "from-box"
            gpu = true
            sound = true
            """
        ).profile
        #expect(profile.display == expected)
    }

    @Test func withoutItNothingIsDoneAboutDisplays() throws {
        let display = try load("[display]").profile.display
        #expect(display == Profile.Display())
        #expect(display.server == .none && display.clipboard == .none && display.windowManager == .none)
        #expect(display.size.text == "1280x800")
    }

    @Test(arguments: [
        (
            "server = \"x11\"",
            "a.toml:2:10: display.server: unknown value \"x11\"; use \"none\", \"host\" or \"private\""
        ),
        (
            "size = \"1280\"",
            "a.toml:2:8: display.size: \"1280\" is no size of a screen; "
                + "write it like \"1280x800\", each from 64 to 16384"
        ),
        (
            "size = \"63x800\"",
            "a.toml:2:8: display.size: \"63x800\" is no size of a screen; "
                + "write it like \"1280x800\", each from 64 to 16384"
        ),
        (
            "window-manager = \"opnbox\"",
            "a.toml:2:18: display.window-manager: unknown value \"opnbox\"; did you mean \"openbox\"?"
        ),
        (
            "clipboard = true",
            "a.toml:2:13: display.clipboard: expected a string, not true or false"
        ),
    ])
    func whatIsWrongIsNamed(line: String, message: String) {
        #expect(problem("[display]\n" + line) == message)
    }

    @Test func aPrivateServerNeedsAMountNamespace() throws {
        #expect(
            problem("namespaces.unshare = [\"net\"]\n[display]\nserver = \"private\"")
                == "a.toml:3:10: display.server: needs a mount namespace of the box's own; "
                + "add \"mount\" to namespaces.unshare or take this out")
        #expect(problem("display.server = \"private\"\nnamespaces.unshare = [\"mount\", \"net\"]") == "no error")
        #expect(problem("display.server = \"private\"\nnamespaces.unshare = [\"mount\"]").contains("abstract socket"))
    }

    @Test func aSecurityContextIsForTheHostsCompositor() throws {
        let text = "namespaces.unshare = [\"mount\", \"net\"]\n[display]\nwayland-security-context = \"required\"\n"
        #expect(try load(text + "server = \"host\"").profile.display.securityContext == .required)
        #expect(problem(text + "server = \"private\"").contains("the display is not the host's"))
    }

    @Test func aPrivateServerSetsItsVariablesItself() throws {
        let text = """
            display.server = "private"
            namespaces.unshare = ["mount", "net"]
            process.environment.set = { DISPLAY = ":1" }
            """
        #expect(problem(text).contains("process.environment.set.DISPLAY: display.server = \"private\" sets it"))
    }
}
