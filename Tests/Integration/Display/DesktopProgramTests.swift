import Glibc
import Testing

extension Integration {
    /// Profiles of programs with windows, each with its program on its display.
    @Suite("Profiles of desktop programs", .enabled(if: DisplayBox.isPossible, DisplayBox.reason))
    struct DesktopProgramTests {
        /// A named sandbox under a shipped profile, removed with the value.
        private final class Desk {
            let it: ProfileBox
            let name: String

            init(_ caller: Caller, _ profile: String, _ command: [String] = []) throws {
                it = try ProfileBox(caller)
                name = profile
                for folder in ["/home/Documents", "/home/Downloads", "/home/Pictures"] { try it.makeDirectory(folder) }
                try it.write("home/Downloads/red.html", "<body bgcolor='#ff0000'>red</body>")
                try it.write("home/Documents/red.pdf", Desk.pdf)
            }

            deinit { _ = try? sandbox(["rm", "-f", name]) }

            func start(_ command: [String] = []) throws {
                let words = ["run", "-d", "-n", name, "-p", name, "--env", Leaks.variable]
                let begun = try sandbox(words + (command.isEmpty ? [] : ["--"] + command))
                try #require(begun.succeeded, "\(begun)")
            }

            func sandbox(_ words: [String]) throws -> Outcome {
                try it.box.sandbox(words, environment: it.environment, directory: it.place + "/project", timeout: 60)
            }

            func exec(_ command: [String]) throws -> Outcome { try sandbox(["exec", name, "--"] + command) }

            /// The window of a class, once it is there.
            func window(_ name: String) throws -> String {
                let found = try exec(["timeout", "40", "xdotool", "search", "--sync", "--onlyvisible", "--class", name])
                try #require(found.succeeded, "\(found)")
                return found.lines.last ?? ""
            }

            func type(_ words: [String], into window: String) throws {
                let typed = try exec(
                    ["xdotool", "mousemove", "--sync", "--window", window, "60", "120", "click", "1", "sleep", "0.5"]
                        + words)
                #expect(typed.succeeded, "\(typed)")
            }

            /// Whether the display shows that colour before long.
            func shows(_ colour: String) throws -> Bool {
                let file = it.box.file("picture.png")
                return try Clock.waitUntil(timeout: 30) {
                    guard try sandbox(["view", name, "--picture", file]).succeeded else { return false }
                    let colours = ["convert", file, "-depth", "8", "-define", "histogram:unique-colors=true"]
                    return try it.box.run(colours + ["-format", "%c", "histogram:info:-"]).out.contains(colour)
                }
            }

            /// One page, all of it red.
            private static let pdf = """
                %PDF-1.4
                1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
                2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
                3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R>> endobj
                4 0 obj <</Length 28>> stream
                1 0 0 rg 0 0 300 200 re f
                endstream endobj
                trailer <</Root 1 0 R>>
                %%EOF

                """
        }

        @Test("terminal: what is typed is run, in an empty home", arguments: Caller.all)
        func terminal(caller: Caller) throws {
            let desk = try Desk(caller, "terminal")
            try desk.start()
            let window = try desk.window("xterm")
            try desk.type(["type", "--delay", "10", "ls -A ~ > /tmp/seen; echo done >> /tmp/seen\n"], into: window)
            #expect(try Clock.waitUntil { try desk.exec(["cat", "/tmp/seen"]).lines.last == "done" })
            #expect(try !desk.exec(["cat", "/tmp/seen"]).out.contains("notes"))
        }

        @Test("editor: it edits a file in ~/Documents", .needsProgram("mousepad"), arguments: Caller.all)
        func editor(caller: Caller) throws {
            let desk = try Desk(caller, "editor")
            try desk.it.write("home/Documents/a.txt", "\n")
            try desk.start(["mousepad", desk.it.place + "/home/Documents/a.txt"])
            let window = try desk.window("mousepad")
            try desk.type(["type", "--delay", "10", "typed here"], into: window)
            #expect(try desk.exec(["xdotool", "key", "ctrl+s"]).succeeded)
            #expect(Clock.waitUntil { desk.it.read("home/Documents/a.txt")?.contains("typed here") == true })
            #expect(try desk.exec(["cat", desk.it.place + "/home/notes"]).status == 1)
        }

        @Test("pdf-viewer: it shows a page and cannot write", .needsProgram("mupdf"), arguments: Caller.all)
        func pdfViewer(caller: Caller) throws {
            let desk = try Desk(caller, "pdf-viewer")
            let file = desk.it.place + "/home/Documents/red.pdf"
            try desk.start(["mupdf", file])
            #expect(try desk.shows("#FF0000"))
            #expect(try desk.exec(["sh", "-c", "echo x > '\(file)'"]).status != 0)
        }

        @Test("paint: it shows a picture of ~/Pictures", .needsProgram("mtpaint"), arguments: Caller.all)
        func paint(caller: Caller) throws {
            let desk = try Desk(caller, "paint")
            let file = desk.it.place + "/home/Pictures/red.png"
            #expect(try desk.it.box.run(["convert", "-size", "80x60", "xc:#ff0000", file]).succeeded)
            try desk.start(["mtpaint", file])
            #expect(try desk.shows("#FF0000"))
        }

        @Test(
            "browser: it shows a page of ~/Downloads", .needsProgram("netsurf-gtk"), .needsProgram("pasta"),
            arguments: Caller.all)
        func browser(caller: Caller) throws {
            let desk = try Desk(caller, "browser")
            if caller == .user, !ShippedProfileTests.opensTunnels { return }
            try desk.start(["netsurf-gtk", "file://" + desk.it.place + "/home/Downloads/red.html"])
            #expect(try desk.shows("#FF0000"))
        }

        @Test(
            "an editor that is saved comes back with its text",
            .enabled(if: canCheckpoint, "needs root and CRIU: make deps"),
            .needsProgram("mousepad"))
        func saved() throws {
            let desk = try Desk(.root, "editor")
            try desk.it.write("home/Documents/a.txt", "\n")
            try desk.start(["mousepad", desk.it.place + "/home/Documents/a.txt"])
            let window = try desk.window("mousepad")
            try desk.type(["type", "--delay", "10", "before"], into: window)
            let saved = try desk.sandbox(["checkpoint", desk.name, "--snapshot", "s"])
            try #require(saved.succeeded, "\(saved)")
            #expect(try desk.sandbox(["rm", desk.name]).succeeded)
            let restored = try desk.sandbox(["restore", "s", "-d"])
            try #require(restored.succeeded, "\(restored)")
            #expect(
                try desk.exec(["xdotool", "type", "--delay", "10", " and after"]).succeeded
                    && desk.exec(["xdotool", "key", "ctrl+s"]).succeeded)
            #expect(Clock.waitUntil { desk.it.read("home/Documents/a.txt")?.contains("before and after") == true })
        }

        @Test(
            "an entry for the menus is valid, and leads to the program's files", .needsProgram("desktop-file-validate"))
        func desktopEntry() throws {
            let it = try ProfileBox(Caller.all.first ?? .user)
            for name in ["terminal", "editor", "pdf-viewer", "paint", "browser"] {
                let data = it.box.file("data with space")
                let made = try it.box.sandbox(
                    ["profile", "desktop", name, "--install"],
                    environment: it.environment.merging(["XDG_DATA_HOME": data]) { $1 })
                #expect(made.text == "\(data)/applications/sandbox-\(name).desktop", "\(made)")
                let checked = try it.box.run(["desktop-file-validate", made.text])
                let said = checked.out + checked.err
                #expect(checked.succeeded && !said.contains("warning") && !said.contains("error"), "\(name): \(said)")
                #expect(Files.read(made.text)?.contains(" run --view -p \(name)") == true)
            }
            let none = try it.box.sandbox(["profile", "desktop", "desktop"], environment: it.environment)
            expectRefused(none, naming: "no command to launch")
        }

        @Test(
            "run --view: the program with its viewer, which ends it", .needsRoot, .needsProgram("xtigervncviewer"),
            .needsProgram("Xvfb"))
        func runAndView() throws {
            let hadFolder = Files.exists("/tmp/.X11-unix")
            defer { if !hadFolder { rmdir("/tmp/.X11-unix") } }
            let box = try Box()
            let profile = try box.profile(DisplayBox.profile)
            let without = try box.sandbox(["run", "--view"] + profile + ["--", "xterm"])
            expectRefused(without, naming: "no display here")
            let plain = try box.sandbox(["run", "--view", "--", "true"])
            expectRefused(plain, naming: "display.server: --view is for a box with a display of its own")
            let server = try box.start(
                ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"], name: "host")
            defer {
                // It removes its socket and lock by itself.
                server.signal(SIGTERM)
                _ = server.wait()
            }
            try #require(box.waitForOutput("\n", name: "host"))
            let display = "DISPLAY=:" + box.output("host").prefix { $0 != "\n" }
            let run = ["env", display, box.binary, "run", "--view"] + profile + ["--", "xterm"]
            let search = ["env", display, "xdotool", "search", "--name", "TigerVNC"]
            let viewed = try box.start(run, name: "viewed")
            try #require(try Clock.waitUntil { try box.run(search).succeeded }, "\(box.output("viewed"))")
            let window = try box.run(search).lines.last ?? ""
            #expect(try box.run(["env", display, "xdotool", "windowclose", window]).succeeded)
            #expect(viewed.wait() != nil)
            #expect(try Clock.waitUntil { try box.sandbox(["ps", "-a", "--json"]).text == "[]" })
        }
    }
}
