import Glibc
import Testing

/// Each shell is real, interactive and on a terminal of its own.
@Suite("Completion", .serialized)
struct CompletionTests {
    private func drive(_ kind: CompletionShell.Kind) throws {
        let shell = try CompletionShell(kind)
        let lines = [
            ("sandbox ru", "sandbox run"), ("sandbox run --pro", "sandbox run --profile"),
            ("sandbox run -p ow", "sandbox run -p ownpage"), ("sandbox run --profile=ow", "--profile=ownpage"),
            ("sandbox run --unshare net,mo", "--unshare net,mount"), ("sandbox run --join ne", "--join net="),
            ("sandbox run --set process.termi", "--set process.terminal="),
            ("sandbox run --set process.terminal=pt", "process.terminal=pty"),
            ("sandbox run --capabilities NET_BI", "NET_BIND_SERVICE"), ("sandbox run --user roo", "--user root"),
            ("sandbox run --bind /etc:/us", "/etc:/usr"), ("sandbox run --read-only /et", "--read-only /etc/"),
            ("sandbox profile sho", "sandbox profile show"), ("sandbox profile show ow", "show ownpage"),
            ("sandbox exec ow", "exec ownbox"), ("sandbox exec ownbox --us", "ownbox --user"),
            ("sandbox exec -t ow", "-t ownbox"), ("sandbox explain --profile ow", "ownpage"),
            ("sandbox doctor --js", "doctor --json"),
        ]
        for (line, text) in lines { #expect(shell.completes(line, to: text), "\(kind): \(line): \(shell.transcript)") }
        // From the command on, its own completion takes over.
        for line in [
            "sandbox run -p ownpage readli", "sandbox run --unshare=net -- readli", "sandbox exec ownbox readli",
            "sandbox exec ownbox -t --user root readli", "sandbox exec ownbox -- readli",
        ] {
            #expect(shell.completes(line, to: "readlink"), "\(kind): \(line): \(shell.transcript)")
        }
        for line in [
            "sandbox run -p ownpage ls --recurs", "sandbox run -- ls --recurs", "sandbox exec ownbox ls --recurs",
        ] {
            #expect(shell.completes(line, to: "ls --recursive"), "\(kind): \(line): \(shell.transcript)")
        }
        let ours = shell.afterTab("sandbox run ls --unsha")
        #expect(ours.contains("DONE"))
        #expect(!ours.contains("--unshare"), "\(kind): our option was offered to the command")
        #expect(!shell.afterTab("sandbox exec ownbox ls --workd").contains("--workdir"))
    }

    @Test("bash", .enabled(if: access("/usr/bin/bash", X_OK) == 0, "needs bash"))
    func bash() throws { try drive(.bash) }

    @Test("zsh", .enabled(if: access("/usr/bin/zsh", X_OK) == 0, "needs zsh"))
    func zsh() throws { try drive(.zsh) }

    @Test("fish", .enabled(if: access("/usr/bin/fish", X_OK) == 0, "needs fish"))
    func fish() throws { try drive(.fish) }
}
