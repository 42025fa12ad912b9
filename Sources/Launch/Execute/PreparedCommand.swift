import CLinux
import Glibc
import Kernel

/// A command that was found in the box, with everything that execve(2) takes in C's form.
struct PreparedCommand {
    private let name: String
    /// Where it may be, in the order to try.
    private let paths: [String]
    private let arguments: [UnsafeMutablePointer<CChar>?]
    private let environment: [UnsafeMutablePointer<CChar>?]

    /// Looks `command` up in the box's PATH, as execvp(3) does.
    init(_ command: [String], environment: [String]) throws(LaunchError) {
        name = command[0]
        paths = try PreparedCommand.find(name, environment)
        arguments = command.map { strdup($0) } + [nil]
        self.environment = environment.map { strdup($0) } + [nil]
    }

    /// Becomes the command. Returns only when that failed.
    func execute() -> LaunchError {
        var denied = false
        for path in paths {
            execve(path, arguments, environment)
            switch errno {
            case ENOENT, ENOTDIR: continue
            case EACCES: denied = true
            case ENOEXEC:
                return LaunchError("\(name): no format that the kernel can execute", mend: "a script begins with #!", status: 126)
            default: return LaunchError("\(name): \(String(cString: strerror(errno)))", status: 126)
            }
        }
        return denied ? PreparedCommand.notExecutable(name) : PreparedCommand.notFound(name)
    }

    /// Checks before the system call filter is on: what follows can then report nothing any more.
    private static func find(_ name: String, _ environment: [String]) throws(LaunchError) -> [String] {
        var candidates = [name]
        if !name.contains("/") {
            let path = environment.first { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? "/usr/local/bin:/usr/bin:/bin"
            candidates = path.split(separator: ":", omittingEmptySubsequences: false).map {
                $0.isEmpty ? "./\(name)" : "\($0)/\(name)"
            }
        }
        var denied = false
        for candidate in candidates {
            if faccessat(AT_FDCWD, candidate, X_OK, AT_EACCESS) == 0 {
                if FileStatus(path: candidate)?.kind != .directory { return [candidate] }
                denied = true
            } else if errno == EACCES {
                denied = true
            }
        }
        throw denied ? notExecutable(name) : notFound(name)
    }

    private static func notFound(_ name: String) -> LaunchError {
        let place = name.contains("/") ? "no such file in the box" : "not found in the box's PATH"
        return LaunchError("\(name): \(place)", status: 127)
    }

    private static func notExecutable(_ name: String) -> LaunchError {
        LaunchError("\(name): not executable", mend: "check its permissions and the mount's noexec", status: 126)
    }
}
