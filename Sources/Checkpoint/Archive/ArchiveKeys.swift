import CLinux
import Glibc
import Kernel

/// What it takes to read an archive, and who must have signed it.
public struct ArchiveKeys: Sendable, Equatable {
    /// Files with keys of age.
    public var identities: [String] = []
    /// The fingerprint of GnuPG's key that must have signed it; `nil` where nobody must have.
    public var signer: String?

    public init() {}

    /// - Throws: when the fingerprint is none.
    public func check() throws(SnapshotError) {
        guard let signer else { return }
        guard signer.utf8.count >= 40, signer.utf8.allSatisfy({ isxdigit(Int32($0)) != 0 }) else {
            throw SnapshotError(
                "\"\(signer)\" is no fingerprint", mend: "'gpg --fingerprint' shows them: 40 hexadecimal digits")
        }
    }
}

/// The programs that an archive passes through until it is plain.
final class ArchiveOpening {
    /// Where it comes out.
    private(set) var file: Int32
    private let keys: ArchiveKeys
    private var filters: [(program: ArchiveFilter.Program, filter: ArchiveFilter)] = []
    private var isOwn = false

    /// Signed, encrypted, and one more.
    private static let limit = 3

    init(_ file: Int32, _ keys: ArchiveKeys) throws(SnapshotError) {
        (self.file, self.keys) = (file, keys)
        try keys.check()
        while let program = ArchiveOpening.program(for: try peek(20)) {
            if filters.count == ArchiveOpening.limit { throw SnapshotError("it is packed too often") }
            try pass(program)
        }
    }

    /// What messages of OpenPGP begin with (RFC 4880): a session key, a signature that is to come, what is compressed.
    private static let packets: Set<UInt8> = [
        0x84, 0x85, 0x86, 0x8c, 0x8d, 0x90, 0x91, 0xa0, 0xa1, 0xa3, 0xc1, 0xc3, 0xc4, 0xc8, 0xd2,
    ]

    /// Who made what begins like that; `nil` for what is none of theirs.
    static func program(for start: [UInt8]) -> ArchiveFilter.Program? {
        func begins(_ text: String) -> Bool { start.starts(with: text.utf8) }
        if begins("age-encryption.org/") || begins("-----BEGIN AGE") { return .age }
        if begins("-----BEGIN PGP") { return .gpg }
        return start.first.map { packets.contains($0) } == true ? .gpg : nil
    }

    /// The first bytes, which are there to be read afterwards.
    private func peek(_ count: Int) throws(SnapshotError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let place = lseek(file, 0, SEEK_CUR)
        if place >= 0 {
            let got = pread(file, &bytes, count, place)
            return Array(bytes.prefix(max(0, got)))
        }
        // Of what cannot be looked at without taking it out only a pipe can be looked at at all.
        guard errno == ESPIPE else { return [] }
        return try attributed { () throws(SystemError) in try peekPipe(file, count) }
    }

    private func pass(_ program: ArchiveFilter.Program) throws(SnapshotError) {
        var arguments: [String]
        switch program {
        case .age:
            if keys.identities.isEmpty {
                throw SnapshotError("it is encrypted by age", mend: "name the file with your key: --identity FILE")
            }
            arguments = ["--decrypt"] + keys.identities.flatMap { ["--identity", $0] }
        case .gpg:
            arguments = ["--batch", "--no-tty", "--quiet", "--status-fd", "2", "--output", "-", "--decrypt"]
        }
        let pipe = try attributed { () throws(SystemError) in try makePipe("start \(program)") }
        defer { close(pipe.write) }
        do throws(SnapshotError) {
            filters.append((program, try ArchiveFilter(program, arguments, from: file, to: pipe.write)))
        } catch {
            close(pipe.read)
            throw error
        }
        if isOwn { close(file) }
        (file, isOwn) = (pipe.read, true)
    }

    /// Waits for the ends of all of them, before anything is made of what came out.
    /// - Throws: when one of them says no, or nobody has signed it who must have.
    func finish() throws(SnapshotError) {
        for entry in filters { try entry.filter.finish() }
        guard let signer = keys.signer else { return }
        let signed = filters.flatMap { ArchiveOpening.signers($0.filter.said) }
        if signed.contains(where: { $0.uppercased() == signer.uppercased() }) { return }
        guard let other = signed.last else { throw SnapshotError("it is not signed, and --signed-by asks for that") }
        throw SnapshotError("it is signed by \(other), not by \(signer)")
    }

    /// Fingerprints of keys whose signatures are valid, and of those that they belong to (gnupg's doc/DETAILS).
    static func signers(_ said: [String]) -> [String] {
        said.flatMap { line -> [String] in
            let words = line.split(separator: " ").map { String($0) }
            guard words.count > 2, words[0] == "[GNUPG:]", words[1] == "VALIDSIG" else { return [] }
            return words.count > 11 ? [words[2], words[11]] : [words[2]]
        }
    }

    /// What one of them has to say when what came out was no archive.
    func complaint() -> SnapshotError? {
        for entry in filters {
            do throws(SnapshotError) { try entry.filter.finish() } catch { return error }
        }
        return nil
    }

    /// Another process reads it from now on: whoever writes to that is to notice its end.
    func handOver() {
        if isOwn { close(file) }
        isOwn = false
    }

    deinit { if isOwn { close(file) } }
}

/// The first bytes in a pipe, which stay there (tee(2)); fewer where it ends before.
private func peekPipe(_ pipe: Int32, _ count: Int) throws(SystemError) -> [UInt8] {
    let copy = try makePipe("look at an archive")
    let input = Descriptor(copy.read)
    let output = Descriptor(copy.write)
    while true {
        let got = linux_tee(pipe, output.number, count)
        if got < 0, errno == EINTR { continue }
        if got < 0, errno == EAGAIN {
            var wait = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            _ = poll(&wait, 1, -1)
            continue
        }
        if got < 0 {
            if errno == EINVAL { return [] }
            throw SystemError("look at an archive", code: errno)
        }
        var bytes = [UInt8](repeating: 0, count: max(1, got))
        let read = got == 0 ? 0 : Glibc.read(input.number, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, read)))
    }
}
