import Glibc
import Testing

extension Integration {
    /// The executable as it is installed. A debug build is linked dynamically: $SANDBOX_BINARY names a release one.
    @Suite("Executable") struct ExecutableTests {
        let box: Box

        init() throws { box = try Box() }

        static let isStatic = !Machine.works(["sh", "-c", "readelf -l \(Binary.path) | grep -q INTERP"])

        @Test(
            "it runs in an empty root directory", .needsRoot,
            .enabled(if: isStatic, "the executable under test is linked dynamically"))
        func emptyRoot() throws {
            let root = try box.folder("empty")
            try box.must(["cp", Binary.path, root + "/sandbox"])
            let outcome = try box.run(["chroot", root, "/sandbox", "run", "--", "/sandbox", "--version"])
            #expect(outcome.succeeded && !outcome.out.isEmpty, "\(outcome)")
            let alone = try box.run(["chroot", root, "/sandbox", "--help"])
            #expect(alone.succeeded && alone.out.contains("run"), "\(alone)")
        }

        @Test("it has neither set-user-id bits nor file capabilities") func plain() throws {
            var status = stat()
            try #require(stat(Binary.path, &status) == 0)
            #expect(status.st_mode & (S_ISUID | S_ISGID) == 0)
            let attributes = try box.run(["getcap", Binary.path])
            #expect(attributes.out.isEmpty, "\(attributes)")
        }
    }
}
