import Glibc
import Testing

@testable import Kernel

/// A tree of directories and files, and what Landlock would let through in it.
private struct FakeTree {
    /// Directories with the names in them.
    var directories: [String: [String]]

    func list(_ path: String) -> [String]? { directories[path] }

    func rules(_ tree: LandlockTree) -> [LandlockRuleset.Rule] { tree.rules(list: list) }

    /// The union of what is granted to `path` and to all above it.
    static func access(_ path: String, by rules: [LandlockRuleset.Rule]) -> LandlockAccess {
        rules.filter { $0.path == "/" || $0.path == path || path.hasPrefix($0.path + "/") }
            .reduce(into: []) { $0.formUnion($1.access) }
    }
}

struct LandlockTreeTests {
    private let tree = FakeTree(directories: [
        "/": ["bin", "etc", "home", "srv"], "/home": ["ann", "bob"], "/home/ann": [".ssh", "notes", "work"],
        "/home/ann/work": ["app", "keys"], "/srv": ["data", "www"],
    ])

    @Test func grantsWithoutExceptionsAreOneRuleEach() {
        let rules = tree.rules(LandlockTree(everythingElse: .readOnly, writable: ["/home/ann"]))
        #expect(rules == [.init("/", .readOnly), .init("/home/ann", .readWrite)])
        #expect(tree.rules(LandlockTree()).isEmpty)
        #expect(tree.rules(LandlockTree(everythingElse: .writable)) == [.init("/", .readWrite)])
    }

    @Test func hiddenUnderReadableGrantsTheSiblings() {
        let rules = tree.rules(LandlockTree(everythingElse: .readOnly, hidden: ["/home/ann/.ssh"]))
        func access(_ path: String) -> LandlockAccess { FakeTree.access(path, by: rules) }
        #expect(access("/home/ann/.ssh").isEmpty)
        #expect(access("/home/ann/.ssh/id").isEmpty)
        for path in ["/bin/sh", "/etc/passwd", "/home/bob/x", "/home/ann/notes", "/srv/www"] {
            #expect(access(path) == .readOnly, "\(path)")
        }
        #expect(access("/home/ann").isEmpty)
        #expect(rules.filter { !$0.isListed }.isEmpty)
        #expect(Set(rules.map(\.path)).count == rules.count)
    }

    @Test func readOnlyUnderWritable() {
        let rules = tree.rules(LandlockTree(readOnly: ["/home/ann/work/keys"], writable: ["/home/ann"]))
        func access(_ path: String) -> LandlockAccess { FakeTree.access(path, by: rules) }
        #expect(access("/home/ann/work/keys/a") == .readOnly)
        #expect(access("/home/ann/work/app/a") == .readWrite)
        #expect(access("/home/ann/notes") == .readWrite)
        #expect(access("/home/ann/work") == .readOnly, "a right to write there would reach into keys")
        #expect(access("/home/bob").isEmpty)
        #expect(access("/etc").isEmpty)
    }

    @Test func accessMayComeBackBeneathLess() {
        let rules = tree.rules(
            LandlockTree(
                everythingElse: .writable, readOnly: ["/home"], writable: ["/home/ann/work"],
                hidden: ["/home/ann/work/keys", "/srv"]))
        func access(_ path: String) -> LandlockAccess { FakeTree.access(path, by: rules) }
        #expect(access("/home/ann/work/app") == .readWrite)
        #expect(access("/home/ann/work/keys").isEmpty)
        #expect(access("/home/ann/notes") == .readOnly)
        #expect(access("/home/bob") == .readOnly)
        #expect(access("/srv/www").isEmpty)
        #expect(access("/etc") == .readWrite)
    }

    @Test func hiddenWinsOverWhatIsBeneathAndOverTheSamePath() {
        let rules = tree.rules(
            LandlockTree(everythingElse: .readOnly, writable: ["/home/ann/work", "/srv"], hidden: ["/home", "/srv"]))
        for path in ["/home/ann/work", "/home/bob", "/srv/www"] {
            #expect(FakeTree.access(path, by: rules).isEmpty, "\(path)")
        }
        let same = tree.rules(LandlockTree(readOnly: ["/srv"], writable: ["/srv/"]))
        #expect(FakeTree.access("/srv/www", by: same) == .readOnly)
    }

    @Test func directoriesOnTheWayMayBeListed() {
        let rules = tree.rules(
            LandlockTree(everythingElse: .readOnly, hidden: ["/home/ann/.ssh"], onTheWay: .readDirectory))
        #expect(FakeTree.access("/home/ann", by: rules) == .readDirectory)
        #expect(FakeTree.access("/home/ann/.ssh/id", by: rules) == .readDirectory)
        #expect(FakeTree.access("/home/ann/notes", by: rules) == .readOnly)
    }

    @Test func missingPathsHideNothingElse() {
        let rules = tree.rules(LandlockTree(everythingElse: .readOnly, hidden: ["/opt/secret/x"]))
        #expect(FakeTree.access("/bin", by: rules) == .readOnly)
        #expect(FakeTree.access("/home/ann", by: rules) == .readOnly)
        #expect(FakeTree.access("/opt/other", by: rules).isEmpty)
    }

    @Test func namesAreReadAsPaths() {
        let rules = tree.rules(LandlockTree(readOnly: ["//srv/./x/../www/"]))
        #expect(rules == [.init("/srv/www", .readOnly)])
    }

    @Test func listingErrorsArePassedOn() {
        #expect(throws: SystemError("list /", code: EACCES)) {
            try LandlockTree(everythingElse: .readOnly, hidden: ["/srv"]).rules { path throws(SystemError) in
                throw SystemError("list \(path)", code: EACCES)
            }
        }
    }
}

struct LandlockRulesetTests {
    private let everything = LandlockRuleset(
        paths: [.init("/", .readOnly)], bind: [80], connect: [443], scope: [.abstractUnixSocket, .signal])

    @Test func versionsHandleWhatTheyKnow() throws {
        let files = LandlockRuleset(paths: [])
        let known = try (1...7).map { try files.attributes(version: $0).files.rawValue }
        #expect(known == [0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff, 0xffff, 0xffff])
        let all = try everything.attributes(version: 6)
        #expect(all == .init(files: .full, network: 3, scope: [.abstractUnixSocket, .signal]))
        #expect([1, 4, 6].map { all.size($0) } == [8, 16, 24])
        let bindOnly = try LandlockRuleset(bind: []).attributes(version: 4)
        #expect(bindOnly == .init(files: [], network: 1, scope: []))
    }

    @Test(arguments: [(0, "5.13", "files"), (3, "6.7", "TCP"), (5, "6.12", "abstract")])
    func lacksAreErrors(version: Int, kernel: String, subject: String) {
        do throws(SystemError) {
            _ = try everything.attributes(version: version)
            Issue.record("version \(version) cannot enforce it")
        } catch {
            #expect(error.code == EOPNOTSUPP)
            #expect(error.message.contains(subject))
            #expect(error.message.contains("Linux \(kernel) or newer"))
        }
    }

    @Test func noWishNeedsNothing() throws {
        #expect(LandlockRuleset().isEmpty)
        #expect(try LandlockRuleset().attributes(version: 0) == .init())
        #expect(!LandlockRuleset(paths: []).isEmpty)
    }

    @Test func rightsAreGroupedByKind() {
        #expect(LandlockAccess.readWrite.isSuperset(of: .readOnly))
        #expect(!LandlockAccess.readWrite.contains(.makeBlockDevice))
        #expect(LandlockAccess.full.rawValue == 0xffff)
        #expect(LandlockAccess.readOnly.isDisjoint(with: [.writeFile, .truncate, .makeFile, .removeFile, .refer]))
    }

    @Test("the kernel takes the rules", .enabled(if: (try? LandlockABI.current()) ?? 0 >= 6, "needs Landlock 6"))
    func kernelTakesTheRules() throws {
        var ruleset = everything
        ruleset.paths = [
            .init("/", .readOnly), .init("/tmp", .full), .init("/dev/null", .readWrite),
            .init("/nonexistent", .readOnly, isListed: true), .init("/proc/self/exe", .full, isListed: true),
        ]
        _ = try ruleset.open()
        ruleset.paths = [.init("/nonexistent", .readOnly)]
        do throws(SystemError) {
            _ = try ruleset.open()
            Issue.record("a path that is not there was passed over")
        } catch {
            #expect(error.code == ENOENT)
            #expect(error.message.contains("/nonexistent"))
        }
    }
}
