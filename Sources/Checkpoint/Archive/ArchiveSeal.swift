import Glibc
import Kernel

/// How an exported snapshot is kept from others, and vouched for.
public struct ArchiveSeal: Sendable, Equatable {
    /// Who can read it: recipients of age (`age1…`, `ssh-…`), or keys of GnuPG; nobody in particular where empty.
    public var recipients: [String] = []
    /// GnuPG's key that it is signed with; `nil` for none.
    public var signer: String?

    public init() {}

    private var isAge: Bool { recipients.contains { ArchiveSeal.isOfAge($0) } }

    private static func isOfAge(_ recipient: String) -> Bool {
        recipient.hasPrefix("age1") || recipient.hasPrefix("ssh-")
    }

    /// Forty hexadecimal digits name one key and no other.
    private static func isFingerprint(_ key: String) -> Bool {
        key.utf8.count >= 40 && key.utf8.allSatisfy { isxdigit(Int32($0)) != 0 }
    }

    /// - Throws: for recipients that no one program knows.
    public func check() throws(SnapshotError) {
        for recipient in recipients where recipient.isEmpty || recipient.hasPrefix("-") {
            throw SnapshotError("\"\(recipient)\" is no recipient", mend: "age1…, ssh-ed25519 …, or a key of GnuPG")
        }
        if isAge, let other = recipients.first(where: { !ArchiveSeal.isOfAge($0) }) {
            throw SnapshotError(
                "\"\(other)\" is no recipient of age, as others are", mend: "use keys of age, or of GnuPG, not both")
        }
        if let signer, signer.isEmpty || signer.hasPrefix("-") {
            throw SnapshotError("\"\(signer)\" is no key of GnuPG", mend: "'gpg --list-secret-keys' shows yours")
        }
    }

    private static let gpg = ["--batch", "--no-tty", "--quiet", "--yes", "--output", "-"]

    /// What the archive passes through, in this order.
    var steps: [(program: ArchiveFilter.Program, arguments: [String])] {
        var steps: [(program: ArchiveFilter.Program, arguments: [String])] = []
        if let signer {
            steps.append((.gpg, ArchiveSeal.gpg + ["--compress-algo", "none", "--local-user", signer, "--sign"]))
        }
        if recipients.isEmpty { return steps }
        if isAge {
            steps.append((.age, ["--encrypt"] + recipients.flatMap { ["--recipient", $0] }))
        } else {
            // Of one that is named by its fingerprint there is nothing to be sure of but that.
            let trust = recipients.allSatisfy { ArchiveSeal.isFingerprint($0) } ? ["--trust-model", "always"] : []
            let keys = recipients.flatMap { ["--recipient", $0] }
            steps.append((.gpg, ArchiveSeal.gpg + ["--compress-algo", "none"] + trust + keys + ["--encrypt"]))
        }
        return steps
    }
}

extension SnapshotStore {
    /// Writes a snapshot as one file, as ``export(_:to:)`` does, signed and encrypted.
    public func export(_ id: String, to file: Int32, _ seal: ArchiveSeal) throws(SnapshotError) {
        try seal.check()
        let steps = seal.steps
        if steps.isEmpty { return try export(id, to: file) }
        var filters: [ArchiveFilter] = []
        var output = file
        // The last one first: each writes to the next.
        for step in steps.reversed() {
            let pipe = try attributed { () throws(SystemError) in try makePipe("start \(step.program)") }
            defer { close(pipe.read) }
            do throws(SnapshotError) {
                filters.insert(try ArchiveFilter(step.program, step.arguments, from: pipe.read, to: output), at: 0)
            } catch {
                close(pipe.write)
                if output != file { close(output) }
                throw error
            }
            if output != file { close(output) }
            output = pipe.write
        }
        var failure: SnapshotError?
        do throws(SnapshotError) { try export(id, to: output) } catch { failure = error }
        close(output)
        for filter in filters {
            // Whose end was waited for in vain by the one before is what went wrong.
            do throws(SnapshotError) { try filter.finish() } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
