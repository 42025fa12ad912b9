import Glibc
import Testing

/// Who launches: profiles are for both.
enum Caller: String, CaseIterable, CustomTestStringConvertible {
    case root
    case user = "a user without privileges"

    var testDescription: String { rawValue }

    /// Those that this machine and this run of the tests can be.
    static var all: [Caller] { (Machine.isRoot ? [.root] : []) + (Machine.hasUserNamespaces ? [.user] : []) }
}

/// A home and a project's directory outside /tmp, which profiles make their own, and launches with the shipped
/// profiles from there.
final class ProfileBox: Sendable {
    /// What no box may get at.
    static let secret = "moon-and-sixpence"

    let box: Box
    let caller: Caller
    /// Holds `home`, `project` (where commands run) and `outside`.
    let place: String

    init(_ caller: Caller) throws {
        self.caller = caller
        box = try Box(as: caller == .user ? Box.user : nil)
        place = try ProfileBox.makePlace()
        for folder in ["", "/home", "/home/.ssh", "/project", "/outside"] { try makeDirectory(folder) }
        try write("home/.ssh/id", ProfileBox.secret, mode: 0o600)
        try write("home/notes", ProfileBox.secret)
    }

    deinit { Harness.remove(place) }

    private static func makePlace() throws -> String {
        let bases = [
            "/srv",
            Files.read("/proc/self/environ")?.split(separator: "\0").first { $0.hasPrefix("HOME=") }
                .map { String($0.dropFirst(5)) } ?? "/home",
        ]
        for base in bases {
            var template = Array("\(base)/sandbox-test-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { continue }
            return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        throw Failure("make a folder outside /tmp")
    }

    func makeDirectory(_ name: String, mode: mode_t = 0o755) throws {
        let path = name.isEmpty ? place : place + "/" + name
        try Files.makeDirectory(path, mode: mode)
        if let uid = box.uid { chown(path, uid, uid) }
    }

    func write(_ name: String, _ content: String, mode: mode_t = 0o644) throws {
        let path = place + "/" + name
        try Files.write(content, to: path, mode: mode)
        if let uid = box.uid { chown(path, uid, uid) }
    }

    func read(_ name: String) -> String? { Files.read(place + "/" + name) }

    /// The shipped profiles, where any user can read them.
    private static let shipped: String = {
        let target = Harness.folder + "/profiles"
        let source = (#filePath.range(of: "/Tests/").map { String(#filePath[..<$0]) } ?? ".") + "/Profiles"
        let copied = try? Child.capture(["cp", "-r", "--", source, target], environment: Harness.environment)
        precondition(copied?.succeeded == true, "cannot copy \(source)")
        return target
    }()

    var environment: [String: String] {
        [
            "HOME": place + "/home", "SANDBOX_PROFILES": ProfileBox.shipped, "PROFILE_TEST_TOKEN": ProfileBox.secret,
            "PLACE": place,
        ]
    }

    /// The mark by which what is left behind is found survives a cleared environment.
    private static func selection(_ profile: String) -> [String] { ["-p", profile, "--env", Leaks.variable] }

    /// A command under a shipped profile or, where that is nil, with nothing isolated: the negative control.
    func run(_ profile: String?, _ options: [String], _ command: [String]) throws -> Outcome {
        try box.sandbox(
            ["run"] + (profile.map { ProfileBox.selection($0) } ?? []) + options + ["--"] + command,
            environment: environment, directory: place + "/project", timeout: 60)
    }

    /// As ``run(_:_:_:)``, a shell script; `$0` is the place, whatever the environment.
    func shell(_ profile: String?, _ script: String, options: [String] = []) throws -> Outcome {
        try run(profile, options, ["/bin/sh", "-c", script, place])
    }

    /// Starts a box, named as its shipped profile, with the profile's own command, and ends it after `body`.
    func serve(_ profile: String, _ options: [String] = [], _ body: () throws -> Void) throws {
        let environment = environment.map { "\($0)=\($1)" }.sorted()
        let words = [box.binary, "run", "-n", profile] + ProfileBox.selection(profile) + options
        // Killed, the waiter would leave the box running.
        let child = try box.start(
            ["env", "-C", place + "/project"] + environment + words + ["--set", "process.die-with-parent=true"],
            name: profile)
        defer {
            child.signal(SIGTERM)
            if child.wait() == nil { child.end() }
        }
        try body()
    }

    /// The script does the forbidden thing only without the profile, and runs to its end in both cases.
    func expectOutOfReach(
        _ profile: String, _ script: String, without control: String = ProfileBox.secret, _ options: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let whole = "{ \(script)\n} 2>/dev/null; echo; echo end"
        let free = try shell(nil, whole)
        #expect(
            free.succeeded && free.lines.last == "end" && free.out.contains(control), "without the profile: \(free)",
            sourceLocation: sourceLocation)
        let boxed = try shell(profile, whole, options: options)
        #expect(
            boxed.succeeded && boxed.lines.last == "end" && !boxed.out.contains(control),
            "with \(profile): \(boxed)", sourceLocation: sourceLocation)
    }

    /// An HTTP server outside every box that answers with the secret; the script that asks it.
    func hostServer() throws -> String {
        try makeDirectory("served")
        try write("served/index.html", ProfileBox.secret)
        let program = """
            import http.server, os, sys
            os.chdir(sys.argv[1])
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
            print("port", server.server_port, "open", flush=True)
            server.serve_forever()
            """
        _ = try box.start(["python3", "-c", program, place + "/served"], name: "server")
        guard box.waitForOutput("open", name: "server") else { throw Failure(saying: "the server does not start") }
        let port = box.output("server").split(separator: " ").dropFirst().first ?? ""
        return "http://127.0.0.1:\(port)/index.html"
    }
}

extension String {
    /// Where a text begins in this one.
    func range(of text: String) -> String.Index? {
        indices.first { self[$0...].hasPrefix(text) }
    }
}
