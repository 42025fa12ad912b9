import Testing

@testable import Checkpoint

@Suite("What an exported snapshot is sealed with")
struct ArchiveOpeningTests {
    @Test(
        "its first bytes tell who undoes it",
        arguments: [
            (Array("age-encryption.org/v1\n".utf8), "age"), (Array("-----BEGIN AGE ENCRYPTED".utf8), "age"),
            (Array("-----BEGIN PGP MESSAGE".utf8), "gpg"), ([0x85, 0x01, 0x8c], "gpg"), ([0x90, 0x0d], "gpg"),
            ([0x28, 0xb5, 0x2f, 0xfd], "none"), ([], "none"), (Array("no archive".utf8), "none"), ([0xff], "none"),
        ] as [([UInt8], String)])
    func first(bytes: [UInt8], program: String) {
        #expect(ArchiveOpening.program(for: bytes)?.rawValue ?? "none" == program)
    }

    @Test("of what gpg says, valid signatures alone count, with the key that theirs belongs to")
    func signers() {
        let said = [
            "gpg: Signature made today", "[GNUPG:] GOODSIG 1234 one",
            "[GNUPG:] VALIDSIG AB 2026-01-01 1 0 4 0 1 10 00 CD",
            "[GNUPG:] BADSIG EF two", "VALIDSIG 99 2026-01-01 1 0 4 0 1 10 00 88",
        ]
        #expect(ArchiveOpening.signers(said) == ["AB", "CD"])
        #expect(ArchiveOpening.signers([]).isEmpty)
    }

    @Test("an error is one line that a person understands")
    func problems() {
        let said = ["[GNUPG:] ENC_TO 1", "gpg: encrypted with a key", "gpg: decryption failed: No secret key"]
        #expect(ArchiveFilter.problem(.gpg, said, 2) == "gpg: decryption failed: No secret key")
        #expect(
            ArchiveFilter.problem(.age, ["age: error: no identity", "age: report unexpected"], 1)
                == "age: error: no identity")
        #expect(ArchiveFilter.problem(.age, [], 7) == "age: it ended with status 7")
    }

    @Test("signed first, encrypted then, by one program for all recipients")
    func steps() throws {
        var seal = ArchiveSeal()
        #expect(seal.steps.isEmpty)
        seal.signer = "me"
        seal.recipients = ["age1x", "ssh-ed25519 AAAA"]
        try seal.check()
        #expect(seal.steps.map(\.program) == [.gpg, .age])
        seal.recipients = ["age1x", "somebody"]
        #expect(throws: SnapshotError.self) { try seal.check() }
        seal.recipients = ["somebody"]
        #expect(seal.steps.map(\.program) == [.gpg, .gpg])
        #expect(!seal.steps[1].arguments.contains("always"))
        seal.recipients = [String(repeating: "a1", count: 20)]
        #expect(seal.steps[1].arguments.contains("always"))
        for wrong in ["", "-x"] {
            seal.signer = wrong
            #expect(throws: SnapshotError.self) { try seal.check() }
        }
    }
}
