import Profile
import Testing

@testable import Launch

@Suite("Paths of profiles")
struct PathTests {
    private let paths = PathExpansion(
        host: host(environment: ["XDG_CACHE_HOME=/cache", "XDG_DATA_HOME=relative", "XDG_ODD=/odd", "PATH=/bin"]))

    @Test(
        "what stands for the caller's directories",
        arguments: [
            ("/a/b", "/a/b"), ("/", "/"), ("//a///b/", "/a/b"), ("/a/./b/.", "/a/b"), ("~", "/home/alice"),
            ("~/x", "/home/alice/x"), ("~/", "/home/alice"), ("$HOME", "/home/alice"), ("$HOME/x", "/home/alice/x"),
            ("$XDG_CACHE_HOME/x", "/cache/x"), ("$XDG_DATA_HOME", "/home/alice/.local/share"),
            ("$XDG_CONFIG_HOME", "/home/alice/.config"), ("$XDG_RUNTIME_DIR/bus", "/run/user/1000/bus"),
            ("$XDG_DOWNLOAD_DIR", "/home/alice/Downloads"), ("$XDG_ODD/y", "/odd/y"), ("/a/...", "/a/..."),
            ("/~/$HOME", "/~/$HOME"),
        ])
    func expanded(path: String, wanted: String) throws {
        #expect(try paths.expand(path, key: "k") == wanted)
    }

    @Test(
        "what is refused",
        arguments: [
            "", "a", "./a", "../a", "/..", "/a/../b", "~/..", "~bob/x", "$PATH/x", "$HOMER", "$", "$XDG_NONE", "/a\0b",
            "/../\u{301}x", "/a/..\u{2f}\u{301}",
        ])
    func refused(path: String) {
        #expect(throws: LaunchError.self) { try paths.expand(path, key: "filesystem.x") }
    }

    @Test("errors name the key") func key() {
        let error = #expect(throws: LaunchError.self) { try paths.expand("a", key: "filesystem.x") }
        #expect(error?.key == "filesystem.x")
    }

    @Test("globs") func globs() throws {
        let paths = PathExpansion(host: host(glob: ["/home/alice/*": ["/home/alice/b"], "/r/e/[a]": ["/r/e/a"]]))
        #expect(try paths.expandGlob("~/*", key: "k") == ["/home/alice/b"])
        #expect(try paths.expandGlob("/none?", key: "k") == [])
        #expect(try paths.expandGlob("/plain", key: "k") == ["/plain"])
        #expect(try paths.expandGlob("/e/[a]", key: "k", root: "/r") == ["/e/a"])
        for pattern in ["*", "?", "["] { #expect(PathExpansion.isPattern("/a" + pattern)) }
        #expect(!PathExpansion.isPattern("/a]{b}"))
    }

    @Test("what lies below what") func remainder() {
        #expect(FilesystemPlanner.remainder(of: "/a/b/c", below: "/a") == "b/c")
        #expect(FilesystemPlanner.remainder(of: "/a", below: "/a") == "")
        #expect(FilesystemPlanner.remainder(of: "/", below: "/") == "")
        #expect(FilesystemPlanner.remainder(of: "/a", below: "/") == "a")
        #expect(FilesystemPlanner.remainder(of: "/ab", below: "/a") == nil)
        #expect(FilesystemPlanner.remainder(of: "/a", below: "/a/b") == nil)
        #expect(FilesystemPlanner.remainder(of: "/a/\u{301}b", below: "/a") == "\u{301}b")
        // Two spellings of one letter are two names to the kernel.
        #expect(FilesystemPlanner.remainder(of: "/\u{e9}", below: "/e\u{301}") == nil)
    }

    @Test("parent and name") func split() {
        func parts(_ path: String) -> [String] {
            let (parent, name) = splitPath(path)
            return [parent, name]
        }
        #expect(parts("/a/b/c") == ["/a/b", "c"])
        #expect(parts("/a") == ["/", "a"])
        #expect(parts("/") == ["/", ""])
        #expect(parts("a") == [".", "a"])
        #expect(parts("/tmp/\u{301}x") == ["/tmp", "\u{301}x"])
    }
}
