import Profile
import Testing

@testable import sandbox

@Suite("Options as keys of the profile language")
struct OverrideTests {
    private func apply(_ option: String, _ value: String) throws -> [Override] {
        var request = RunRequest()
        let option = try #require(RunOption.named(option))
        try request.apply(option, value, directory: { "/home/me" })
        return request.overrides
    }

    private func added(_ key: String, _ value: Value) -> Override { Override(key, value, operation: .append) }

    @Test func unshare() throws {
        let key = "namespaces.unshare"
        #expect(try apply("unshare", "net,mnt") == [added(key, .strings(["net", "mount"]))])
        #expect(try apply("unshare", "none") == [Override(key, .array([]))])
        let all = NamespaceKind.allCases.map(\.rawValue)
        #expect(all.count == 8)
        #expect(
            try apply("unshare", "all,!time") == [Override(key, .strings(all)), Override(key, .strings(["!time"]))])
        #expect(throws: UsageError.self) { try apply("unshare", "net,,pid") }
        do {
            _ = try apply("unshare", "nte")
            Issue.record("an unknown kind was taken")
        } catch let error as UsageError {
            #expect(error.message.contains("did you mean 'net'?"))
        }
    }

    @Test func join() throws {
        let blue = Override("namespaces.join", .table([("net", .string("/run/netns/blue"))]))
        #expect(try apply("join", "net=/run/netns/blue") == [blue])
        for bad in ["net", "net=", "nets=/x", "=/x"] { #expect(throws: UsageError.self) { try apply("join", bad) } }
    }

    @Test(
        "bind",
        arguments: [
            ("/a", "/a", "/a", nil), ("/a:/b", "/a", "/b", nil), ("/a:/b:ro,nosuid", "/a", "/b", ["ro", "nosuid"]),
            ("src", "/home/me/src", "/home/me/src", nil), ("./src:/src", "/home/me/src", "/src", nil),
            ("~/x:~/y", "~/x", "~/y", nil), ("/a\\:b:/c", "/a:b", "/c", nil), (".:/w", "/home/me", "/w", nil),
        ] as [(String, String, String, [String]?)])
    func bind(text: String, from: String, to: String, options: [String]?) throws {
        var entry: [(key: String, value: Value)] = [("from", .string(from)), ("to", .string(to))]
        if let options { entry.append(("options", .strings(options))) }
        #expect(try apply("bind", text) == [added("filesystem.bind", .array([.table(entry)]))])
    }

    @Test("a bind that is no FROM[:TO[:OPTIONS]] is refused", arguments: ["", ":/b", "/a:ro", "/a:/b:ro:x"])
    func badBind(text: String) { #expect(throws: UsageError.self) { try apply("bind", text) } }

    @Test func tmpfs() throws {
        #expect(try apply("tmpfs", "/x") == [added("filesystem.tmpfs", .array([.table([("path", .string("/x"))])]))])
        let limited = Value.table([
            ("path", .string("/x")), ("size", .string("16M")), ("mode", .string("0700")),
            ("options", .strings(["noexec"])),
        ])
        #expect(try apply("tmpfs", "/x:size=16M,mode=0700,noexec") == [added("filesystem.tmpfs", .array([limited]))])
        #expect(throws: UsageError.self) { try apply("tmpfs", "x") }
    }

    @Test func environment() throws {
        #expect(try apply("env", "A.B=c=d") == [Override("process.environment.set", .table([("A.B", .string("c=d"))]))])
        #expect(try apply("env", "A=") == [Override("process.environment.set", .table([("A", .string(""))]))])
        #expect(try apply("env", "TERM") == [added("process.environment.keep", .strings(["TERM"]))])
        #expect(throws: UsageError.self) { try apply("env", "=x") }
    }

    @Test("words are added, those with ! are taken away")
    func words() throws {
        let key = "security.capabilities.keep"
        #expect(
            try apply("capabilities", "NET_RAW,!CHOWN")
                == [added(key, .strings(["NET_RAW"])), Override(key, .strings(["!CHOWN"]))])
    }

    @Test(
        "the host's paths start from the caller's directory, the language's own stay",
        arguments: [
            ("x", "/home/me/x"), ("./x", "/home/me/x"), (".", "/home/me"), ("../x", "/home/me/../x"), ("/x", "/x"),
            ("~/x", "~/x"), ("$XDG_RUNTIME_DIR/x", "$XDG_RUNTIME_DIR/x"),
        ])
    func paths(text: String, path: String) throws {
        #expect(try apply("hide", text) == [added("filesystem.hide", .strings([path]))])
    }

    @Test("an overlay's tmpfs is no path")
    func overlay() throws {
        #expect(try apply("overlay", "tmpfs") == [Override("filesystem.overlay.upper", .string("tmpfs"))])
        #expect(try apply("overlay", "up") == [Override("filesystem.overlay.upper", .string("/home/me/up"))])
    }
}
