import ArgumentParser
import Glibc
import Kernel
import Launch
import Profile
import SandboxKit

/// The way from `argv` to a command.
enum Entry {
    typealias Words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    static func main(argumentCount: Int, arguments: Words) -> Int32 {
        if getuid() != geteuid() || getgid() != getegid() {
            Output.error("it is not made to run set-user-ID; take the bit away with chmod u-s,g-s")
            return ExitStatus.failure
        }
        if argumentCount > 1, let first = arguments[1], strcmp(first, "run") == 0 {
            if let status = runLean(argumentCount: argumentCount, arguments: arguments) { return status }
        }
        if argumentCount > 1, let first = arguments[1], strcmp(first, "exec") == 0 {
            if let status = execLean(argumentCount: argumentCount, arguments: arguments) { return status }
        }
        if argumentCount > 1, let first = arguments[1], strcmp(first, Remains.option) == 0 {
            return finish(texts(arguments, from: 2, argumentCount))
        }
        if argumentCount > 1, let first = arguments[1], strcmp(first, Sandbox.saveOption) == 0 {
            return save(texts(arguments, from: 2, argumentCount))
        }
        if argumentCount == 2, let first = arguments[1], strcmp(first, launchOption) == 0 {
            return Sandbox.answerLaunch()
        }
        return runGeneral(texts(arguments, from: 1, argumentCount))
    }

    /// The words as text, bytes that are no UTF-8 replaced.
    private static func texts(_ arguments: Words, from start: Int, _ count: Int) -> [String] {
        (min(start, count)..<count).map { arguments[$0].map { String(cString: $0) } ?? "" }
    }

    /// Not for people: what a waiter starts for `checkpoint.every`.
    private static func save(_ words: [String]) -> Int32 {
        do throws(LaunchError) {
            try Sandbox.saveNow(words)
            return 0
        } catch {
            Output.error(error.message)
            return error.status
        }
    }

    /// Not for people: what a waiter becomes when its box has ended (`Sandbox.run`).
    private static func finish(_ words: [String]) -> Int32 {
        do throws(LaunchError) {
            return try Sandbox.finish(words)
        } catch {
            Output.error(error.message)
            return error.status
        }
    }

    /// The launch path; nil when the general parser must look at the line.
    private static func runLean(argumentCount: Int, arguments: Words) -> Int32? {
        let parser = RunParser(
            word: { index in arguments[index].flatMap { String(validatingCString: $0) } },
            count: argumentCount, directory: currentDirectory)
        do throws(UsageError) {
            guard let request = try parser.parse(from: 2) else { return nil }
            return RunCommand.perform(request)
        } catch {
            Output.error(error.line)
            return ExitStatus.failure
        }
    }

    /// A further command in a box; nil when the general parser must look at the line.
    private static func execLean(argumentCount: Int, arguments: Words) -> Int32? {
        let parser = ExecParser(
            word: { index in arguments[index].flatMap { String(validatingCString: $0) } },
            count: argumentCount, variable: environmentVariable)
        do throws(UsageError) {
            guard let request = try parser.parse(from: 2) else { return nil }
            return ExecCommand.perform(request)
        } catch {
            Output.error(error.line)
            return ExitStatus.failure
        }
    }
}

/// getcwd(3), or PWD where the directory is gone.
func currentDirectory() -> String {
    guard let path = getcwd(nil, 0) else { return environmentVariable("PWD") ?? "/" }
    defer { free(path) }
    return String(cString: path)
}
