import Testing

@testable import Profile

struct SnapshotKeyTests {
    private static let keys = """
        [checkpoint]
        enabled = true
        on-clone = ["/bin/renew", "all"]
        every = "10m"
        keep = 6
        compression = "zstd"
        pre-copy = true
        """

    @Test func everyKeyReachesTheModel() throws {
        let checkpoint = try load(Self.keys).profile.checkpoint
        #expect(checkpoint.onClone == ["/bin/renew", "all"])
        #expect(checkpoint.every == 600_000 && checkpoint.keep == 6 && checkpoint.compression == .zstd)
        #expect(checkpoint.preCopy)
        let usual = try load("[checkpoint]").profile.checkpoint
        #expect(usual.onClone.isEmpty && usual.every == nil && usual.keep == 3 && usual.compression == .none)
        #expect(!usual.preCopy)
    }

    @Test func theDocumentSaysTheSame() throws {
        let profile = try load(Self.keys).profile
        #expect(try Profile(document: profile.document, name: "again") == profile)
    }

    @Test(arguments: [
        ("checkpoint.every = \"10m\"", "checkpoint.every: the box is not made so that it can be saved"),
        ("checkpoint.every = \"1ms\"", "checkpoint.every"), ("checkpoint.keep = 0", "checkpoint.keep"),
        ("checkpoint.pre-copy = 3", "checkpoint.pre-copy"),
        ("checkpoint.compression = \"lz4\"", "use \"none\" or \"zstd\""),
        ("checkpoint.on-clone = \"renew\"", "checkpoint.on-clone"),
        ("checkpoint.evry = \"1m\"", "did you mean \"every\"?"),
    ])
    func whatIsWrongIsNamed(text: String, part: String) {
        #expect(problem(text).contains(part), "\(problem(text))")
    }
}
