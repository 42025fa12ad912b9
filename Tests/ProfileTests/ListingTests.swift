import Testing

@testable import Profile

struct ListingTests {
    @Test func everyValueIsShownWithItsSource() throws {
        let files = [
            "/system/base.toml": """
            description = "base"
            [namespaces]
            unshare = ["mount"]
            [filesystem]
            hide = ["/a",
              "/b"]
            [limits]
            core = 0
            """,
            "/user/a.toml": """
            extends = ["base"]
            description = "mine"
            [process.environment.set]
            "A.B" = "x\\ty"
            [filesystem]
            hide = ["/c"]
            [[filesystem.bind]]
            from = "/srv"
            options = ["ro"]
            [resources]
            cpu = 0.5
            """,
        ]
        let loaded = try store(files).load(["a"], overrides: [Override(parsing: "namespaces.unshare+=net")])
        let text = loaded.show()
        #expect(
            text == """
                description = "mine"  # /user/a.toml:2

                [namespaces]
                unshare = [
                    "mount",  # /system/base.toml:3
                    "net",  # command line
                ]

                [process]
                environment.set."A.B" = "x\\ty"  # /user/a.toml:4

                [limits]
                core = 0  # /system/base.toml:8

                [filesystem]
                hide = [
                    "/a",  # /system/base.toml:5
                    "/b",  # /system/base.toml:6
                    "/c",  # /user/a.toml:6
                ]
                bind = [
                    { from = "/srv", options = ["ro"] },  # /user/a.toml:7
                ]

                [resources]
                cpu = 0.5  # /user/a.toml:11

                """)
        // What is shown is a profile that says the same.
        let again = try store(["/user/b.toml": text]).load(["b"])
        #expect(again.merged == loaded.merged)
    }

    @Test func theSampleSurvivesBeingShown() throws {
        let loaded = try load(GarbageTests.sample)
        let again = try load(loaded.show())
        #expect(again.merged == loaded.merged)
        #expect(again.profile == loaded.profile)
    }

    @Test func profilesAreListedWithTheirDescriptions() throws {
        let profiles = try store([
            "/user/web.toml": "description = \"my web\"", "/system/web.toml": "description = \"web\"",
            "/system/base.toml": "", "/system/bad.toml": "x = ", "/system/notes.txt": "", "/system/.x.toml": "",
        ]).list()
        #expect(profiles.map(\.name) == ["bad", "base", "web", "web"])
        #expect(
            profiles.map(\.path) == ["/system/bad.toml", "/system/base.toml", "/user/web.toml", "/system/web.toml"])
        #expect(profiles.map(\.description) == [nil, nil, "my web", "web"])
        #expect(profiles.map(\.isShadowed) == [false, false, false, true])
        #expect(profiles[0].problem == "/system/bad.toml:1:5: TOML: expected a value")
    }

    @Test func aFileThatCannotBeReadIsOneLine() {
        let store = ProfileStore(
            directories: ["/d"],
            read: { path throws(ProfileError) in
                throw ProfileError(place: SourceReference(file: path), problem: "Permission denied")
            }, list: { _ in [] })
        #expect(throws: ProfileError(place: SourceReference(file: "/d/a.toml"), problem: "Permission denied")) {
            try store.load(["a"])
        }
    }
}
