import Testing

@testable import sandbox

@Suite("Menu entries") struct DesktopEntryTests {
    private static let original = """
        # A comment
        [Desktop Entry]
        Name=Mousepad
        Name[de]=Mauspad
        GenericName=Text Editor
        Exec=/usr/bin/mousepad %U
        Icon = org.xfce.mousepad.png
        Categories=Utility;TextEditor;GTK;
        MimeType=text/plain;

        [Desktop Action preferences]
        Name=Other
        Exec=mousepad --preferences
        """

    private var entry: DesktopEntry {
        var entry = DesktopEntry(executable: "/usr/local/bin/sandbox", profile: "editor", name: "editor")
        entry.comment = "Edits\ttexts"
        entry.command = ["mousepad"]
        return entry
    }

    @Test("a profile alone") func plain() {
        #expect(
            entry.text == """
                [Desktop Entry]
                Type=Application
                Name=editor
                Comment=Edits texts
                Exec=/usr/local/bin/sandbox run -p editor
                Terminal=false
                Categories=Utility;

                """)
    }

    @Test("with the program's own entry, and a viewer") func whole() {
        var entry = entry
        entry.isViewed = true
        entry.original = DesktopEntry.keys(of: Self.original)
        #expect(
            entry.text == """
                [Desktop Entry]
                Type=Application
                Name=editor
                GenericName=Text Editor
                Comment=Edits texts
                Exec=/usr/local/bin/sandbox run --view -p editor -- mousepad %U
                Icon=org.xfce.mousepad
                Terminal=false
                Categories=Utility;TextEditor;GTK;
                MimeType=text/plain;

                """)
    }

    @Test("which entry is the program's") func which() {
        let keys = DesktopEntry.keys(of: Self.original)
        #expect(keys["Name"] == "Mousepad" && keys["Icon"] == "org.xfce.mousepad.png")
        #expect(DesktopEntry.starts(keys, "mousepad") && DesktopEntry.starts(keys, "/opt/bin/mousepad"))
        #expect(!DesktopEntry.starts(keys, "mouse") && !DesktopEntry.starts([:], ""))
    }

    @Test(
        "words of the command line",
        arguments: [
            ("plain-1.2/x", "plain-1.2/x"), ("", "\"\""), ("a b", "\"a b\""), ("100%", "100%%"),
            ("a\"b", "\"a\\\\\"b\""), ("$HOME", "\"\\\\$HOME\""), ("a\\b", "\"a\\\\\\\\b\""), ("~/x", "\"~/x\""),
        ])
    func words(word: String, written: String) { #expect(DesktopEntry.word(word) == written) }
}
