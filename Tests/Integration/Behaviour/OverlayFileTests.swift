import Testing

extension Integration {
    @Suite("Overlay over mounted files", .needsRoot) struct OverlayFileTests {
        let box: Box

        init() throws { box = try Box() }

        /// Runs a script in the box, where `tree/mounted` is a file that is mounted from elsewhere.
        private func shell(_ toml: String, _ script: String) throws -> Outcome {
            try box.folder("tree")
            try box.write("tree/mounted", "")
            try box.write("host", "host's\n")
            let profile = try box.profile("namespaces.unshare = [\"mount\"]\n[filesystem]\n" + toml)
            let mount = "mount --bind \(box.file("host")) \(box.file("tree/mounted")) && exec \"$@\""
            return try box.run(
                ["unshare", "-m", "sh", "-c", mount, "sh", box.binary, "run"] + profile + ["--", "sh", "-c", script])
        }

        private var script: String { "echo x > tree/new && echo made; echo box > tree/mounted" }

        @Test("writable does not reach through a layer to a file of the host's") func kept() throws {
            let outcome = try shell("overlay = { upper = \"tmpfs\" }\nwritable = [\"\(box.path)/tree\"]", script)
            #expect(outcome.text == "made", "\(outcome)")
            #expect(Files.read(box.file("host")) == "host's\n")
            #expect(!Files.exists(box.file("tree/new")))
        }

        @Test("control: without the overlay it does") func control() throws {
            let outcome = try shell("read-only = [\"/usr\"]", script)
            #expect(outcome.text == "made", "\(outcome)")
            #expect(Files.read(box.file("host")) == "box\n")
        }
    }
}
