import Glibc
import Testing

/// Exported snapshots that are encrypted and signed, with the real age and GnuPG and keys of the test's own.
@Suite("Sealed snapshots", .serialized, .enabled(if: canCheckpoint, "needs root and CRIU: make deps"))
struct ArchiveSealTests {
    private static let hasPrograms = ["age", "age-keygen", "gpg"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }

    /// A snapshot `s`, and keys: two of GnuPG's, `one` and `two`, and two of age.
    private func scene() throws -> Box {
        let box = try Box()
        try box.folder("gnupg", mode: 0o700)
        try box.must([box.binary, "run", "-d", "-n", "box", "--set", "checkpoint.enabled=true", "--", "sleep", "600"])
        try box.must([box.binary, "checkpoint", "box", "--snapshot", "s"])
        try box.must([box.binary, "rm", "box"])
        for name in ["one", "two"] {
            try gpg(box, ["--passphrase", "", "--quick-gen-key", name, "default", "default", "never"])
            try box.must(["age-keygen", "-o", box.file("age-\(name)")])
        }
        return box
    }

    private func home(_ box: Box) -> [String: String] { ["GNUPGHOME": box.file("gnupg")] }

    @discardableResult
    private func gpg(_ box: Box, _ words: [String]) throws -> Outcome {
        let done = try box.run(["gpg", "--homedir", box.file("gnupg"), "--batch", "--quiet"] + words)
        #expect(done.succeeded, "gpg \(words): \(done)")
        return done
    }

    /// Its agent stays otherwise.
    private func end(_ box: Box) throws {
        try box.must(["gpgconf", "--homedir", box.file("gnupg"), "--kill", "all"])
    }

    private func fingerprint(_ box: Box, _ name: String) throws -> String {
        let listed = try gpg(box, ["--with-colons", "--fingerprint", name])
        let line = try #require(listed.lines.first { $0.hasPrefix("fpr:") })
        return String(try #require(line.split(separator: ":").last))
    }

    private func recipient(_ box: Box, _ name: String) throws -> String {
        let line = (Files.read(box.file("age-\(name)")) ?? "").split(separator: "\n").first { $0.contains("age1") }
        return String(try #require(line?.split(separator: " ").last))
    }

    private func export(_ box: Box, _ file: String, _ words: [String]) throws -> Outcome {
        try box.sandbox(["snapshot", "export", "s", "-o", box.file(file)] + words, environment: home(box))
    }

    /// Takes it in as another user's store would: under the same name, which is free.
    private func take(_ box: Box, _ file: String, _ words: [String] = []) throws -> Outcome {
        let environment = home(box).merging(["SANDBOX_STATE": box.file("other")]) { $1 }
        try box.folder("other", mode: 0o700)
        let taken = try box.sandbox(["snapshot", "import", box.file(file)] + words, environment: environment)
        let left = Files.list(box.file("other/snapshots"))
        if taken.succeeded {
            #expect(taken.text == "s" && left == ["s"], "\(taken) \(left)")
            let verified = try box.sandbox(["snapshot", "verify", "s"], environment: environment)
            #expect(verified.succeeded, "\(verified)")
            #expect(try box.sandbox(["snapshot", "delete", "s"], environment: environment).succeeded)
        } else {
            #expect(taken.status == 125 && taken.errorLines.count == 1 && left.isEmpty, "\(taken) \(left)")
        }
        return taken
    }

    private func expectRefusal(_ box: Box, _ file: String, _ words: [String], _ reason: String) throws {
        let taken = try take(box, file, words)
        #expect(!taken.succeeded && taken.err.contains(reason), "\(reason): \(taken)")
    }

    @Test(
        "encrypted for a key of age or of GnuPG: read with that key alone",
        .enabled(if: hasPrograms, "needs age and gpg"))
    func encrypted() throws {
        let box = try scene()
        #expect(try export(box, "age", ["--encrypt-to", recipient(box, "one")]).succeeded)
        #expect(try export(box, "pgp", ["--encrypt-to", fingerprint(box, "two")]).succeeded)
        #expect(try take(box, "age", ["--identity", box.file("age-one")]).succeeded)
        #expect(try take(box, "pgp").succeeded)
        try expectRefusal(box, "age", [], "--identity")
        try expectRefusal(box, "age", ["--identity", box.file("age-two")], "age: ")
        let two = try fingerprint(box, "two")
        try gpg(box, ["--yes", "--delete-secret-keys", two])
        try expectRefusal(box, "pgp", [], "gpg: ")
        try end(box)
    }

    @Test("signed: by whom it must be, and with encryption around", .enabled(if: hasPrograms, "needs age and gpg"))
    func signed() throws {
        let box = try scene()
        let (one, two) = (try fingerprint(box, "one"), try fingerprint(box, "two"))
        #expect(try export(box, "plain", []).succeeded)
        #expect(try export(box, "signed", ["--sign", "one"]).succeeded)
        #expect(try export(box, "both", ["--sign", one, "--encrypt-to", recipient(box, "one")]).succeeded)
        #expect(try export(box, "pgp", ["--sign", one, "--encrypt-to", two]).succeeded)
        #expect(try take(box, "plain").succeeded)
        #expect(try take(box, "signed").succeeded)
        #expect(try take(box, "signed", ["--signed-by", one]).succeeded)
        #expect(try take(box, "both", ["--signed-by", one, "--identity", box.file("age-one")]).succeeded)
        #expect(try take(box, "pgp", ["--signed-by", one.lowercased()]).succeeded)
        try expectRefusal(box, "plain", ["--signed-by", one], "it is not signed")
        try expectRefusal(box, "signed", ["--signed-by", two], "not by \(two)")
        try expectRefusal(box, "signed", ["--signed-by", "one"], "no fingerprint")
        // Who does not know the key cannot tell.
        try gpg(box, ["--yes", "--delete-secret-and-public-key", one])
        try expectRefusal(box, "signed", [], "gpg: ")
        try end(box)
    }

    @Test("altered in one byte anywhere: refused", .enabled(if: hasPrograms, "needs age and gpg"))
    func altered() throws {
        let box = try scene()
        let identity = ["--identity", box.file("age-one")]
        #expect(try export(box, "age", ["--encrypt-to", recipient(box, "one")]).succeeded)
        #expect(try export(box, "signed", ["--sign", "one"]).succeeded)
        #expect(try export(box, "pgp", ["--encrypt-to", fingerprint(box, "two")]).succeeded)
        for name in ["age", "signed", "pgp"] {
            let file = open(box.file(name), O_RDWR)
            defer { close(file) }
            let size = Int(lseek(file, 0, SEEK_END))
            for place in [0, 30, size / 2, size - 40, size - 1] {
                var byte: UInt8 = 0
                _ = pread(file, &byte, 1, off_t(place))
                var other = byte ^ 0x10
                _ = pwrite(file, &other, 1, off_t(place))
                let taken = try take(box, name, identity)
                #expect(!taken.succeeded, "\(name), byte \(place) of \(size): \(taken)")
                _ = pwrite(file, &byte, 1, off_t(place))
            }
            #expect(try take(box, name, identity).succeeded, "\(name): control")
        }
        try end(box)
    }

    @Test(
        "recipients and keys that do not exist: one line, and no file", .enabled(if: hasPrograms, "needs age and gpg"))
    func unknown() throws {
        let box = try scene()
        let wrong: [[String]] = [
            ["--encrypt-to", "nobody@nowhere.invalid"], ["--encrypt-to", "age1nothing"], ["--sign", "nobody"],
            ["--encrypt-to", try recipient(box, "one"), "--encrypt-to", "two"], ["--sign", ""], ["--encrypt-to=-x"],
        ]
        for words in wrong {
            let exported = try export(box, "file", words)
            #expect(exported.status == 125 && exported.errorLines.count == 1, "\(words): \(exported)")
            #expect(Files.read(box.file("file")) == nil, "\(words)")
        }
        try end(box)
    }
}
