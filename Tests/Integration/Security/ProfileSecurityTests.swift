import Testing

extension Integration {
    /// What let itself out of the next box by writing its profile.
    @Suite("Security: profiles that a box would write", .needsRoot) struct ProfileSecurityTests {
        static let attack = """
            mkdir -p ~/.config/sandbox/profiles && echo 'x = 1' > ~/.config/sandbox/profiles/untrusted.toml
            mv ~/.config ~/moved && mkdir -p ~/.config/sandbox/profiles &&
                echo 'x = 1' > ~/.config/sandbox/profiles/untrusted.toml
            mv ~/.config/sandbox ~/moved2 && mkdir -p ~/.config/sandbox/profiles &&
                echo 'x = 1' > ~/.config/sandbox/profiles/untrusted.toml
            touch ~/written
            """

        private func loaded(_ box: Box) throws -> String {
            try box.sandbox(["profile", "show", "untrusted"]).out + box.sandbox(["profile", "show", "untrusted"]).err
        }

        @Test("S13: the next launch loads nothing that a box wrote", arguments: [false, true]) func notLoaded(
            exists: Bool
        ) throws {
            let box = try Box(as: Box.user)
            if exists { try box.folder("home/.config/sandbox/profiles") }
            let outcome = try box.launch("", ["--unshare", "mount"], ["sh", "-c", Self.attack])
            #expect(outcome.succeeded, "\(outcome)")
            #expect(Files.exists(box.file("home/written")), "the rest of the home is the box's to write")
            #expect(Files.list(box.file("home/.config/sandbox/profiles")) == [])
            #expect(!Files.exists(box.file("home/moved")), "a copy elsewhere is only a copy")
            #expect(try !loaded(box).contains("unknown key"))
        }

        @Test("S13, control: what a box without a mount namespace writes there is loaded") func control() throws {
            let box = try Box(as: Box.user)
            let outcome = try box.launch("", [], ["sh", "-c", Self.attack])
            #expect(outcome.succeeded, "\(outcome)")
            #expect(try loaded(box).contains("unknown key"))
        }

        @Test("S13: profiles of one's own are still found, and readable in the box") func readable() throws {
            let box = try Box(as: Box.user)
            try box.folder("home/.config/sandbox/profiles")
            try box.write("home/.config/sandbox/profiles/own.toml", "description = \"mine\"\n")
            let outcome = try box.launch(
                "", ["--unshare", "mount"], ["cat", box.file("home/.config/sandbox/profiles/own.toml")])
            #expect(outcome.text == "description = \"mine\"", "\(outcome)")
            #expect(try box.sandbox(["profile", "list"]).out.contains("mine"))
        }
    }
}
