import CLinux
import Glibc
import Kernel

/// Programs of the distribution that do what is not ours to do, run to their end.
struct Program {
    let path: String

    /// - Parameter package: the distribution's, for the mend.
    init(_ name: String, package: String) throws(SwitchError) {
        for folder in ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"]
        where access("\(folder)/\(name)", X_OK) == 0 {
            path = "\(folder)/\(name)"
            return
        }
        throw SwitchError("the program \(name) is missing", mend: "apt-get install \(package)")
    }

    /// Runs it in the network namespace behind a descriptor, `input` on its standard input.
    func run(_ arguments: [String], input: String, in namespace: Int32) throws(SwitchError) {
        guard let said = try attempt(arguments, input: input, in: namespace) else { return }
        let first = said.split(separator: "\n").first.map { String($0) } ?? "it ended without a word"
        throw SwitchError("\(path) failed: \(first)")
    }

    /// The same.
    /// - Returns: all that it said when it failed; nil when it did not.
    func attempt(_ arguments: [String], input: String, in namespace: Int32) throws(SwitchError) -> String? {
        let (status, said) = try attributed { () throws(SystemError) in
            let (asks, answers) = (try makePipe("start \(path)"), try makePipe("start \(path)"))
            let child = try startChild(in: []) { become(arguments, asks.read, answers.write, namespace) }
            close(asks.read)
            close(answers.write)
            let said = try converse(input, asks.write, answers.read)
            return (try waitForEnd(of: child), said)
        }
        if case .exited(0) = status { return nil }
        return said
    }

    /// It reads all before it says anything, so that neither waits for the other.
    private func converse(_ input: String, _ asks: Int32, _ answers: Int32) throws(SystemError) -> String {
        defer { close(answers) }
        do throws(SystemError) {
            try writeText(input, to: asks, name: path)
        } catch {
            // It has ended without reading, and says why.
            if error.code != EPIPE {
                close(asks)
                throw error
            }
        }
        close(asks)
        return try readText(answers, name: path)
    }

    private func become(_ arguments: [String], _ input: Int32, _ output: Int32, _ namespace: Int32) -> Never {
        guard setns(namespace, CLONE_NEWNET) == 0, dup2(input, 0) == 0, dup2(output, 1) == 1, dup2(output, 2) == 2
        else { _exit(125) }
        _ = linux_close_range(3, UInt32.max, 0)
        withCStrings([path] + arguments) { words in
            withCStrings(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]) { environment in
                _ = execve(path, words, environment)
            }
        }
        _exit(127)
    }
}
