import CLinux
import Glibc
import Kernel
public import Launch

/// Directory trees with all that the kernel keeps of files (owners, attributes of overlays, devices), packed by tar(1).
public enum FileTree {
    /// Packs what is below a directory, without entries of it whose names begin with one of `except`.
    public static func pack(_ directory: String, to file: String, except: [String] = []) throws(LaunchError) {
        let words = except.map { "--exclude=./\($0)*" }
        try run(["--create", "--file=\(file)", "--directory=\(directory)"] + words + shared + ["."], directory)
    }

    /// Unpacks into a directory that is there.
    public static func unpack(_ file: String, into directory: String) throws(LaunchError) {
        try run(
            ["--extract", "--file=\(file)", "--directory=\(directory)", "--preserve-permissions"] + shared, directory)
    }

    private static let shared = [
        "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "--sparse", "--force-local", "--anchored",
    ]

    private static func run(_ words: [String], _ directory: String) throws(LaunchError) {
        let places: [String] = ["/usr/bin/tar", "/bin/tar"]
        guard let program = places.first(where: { (path: String) in access(path, X_OK) == 0 }) else {
            throw LaunchError("the program tar is missing", mend: "apt-get install tar")
        }
        let (status, said) = try LaunchError.wrap { () throws(SystemError) in
            let pipe = try makePipe("start tar")
            let child = try startChild(in: []) {
                let null = linux_open("/dev/null", O_RDONLY, 0)
                guard dup2(null, 0) == 0, dup2(pipe.write, 1) == 1, dup2(pipe.write, 2) == 2 else { _exit(125) }
                _ = linux_close_range(3, UInt32.max, 0)
                withCStrings([program] + words) { arguments in
                    withCStrings(["PATH=/usr/bin:/bin", "LC_ALL=C"]) { environment in
                        _ = execve(program, arguments, environment)
                    }
                }
                _exit(127)
            }
            close(pipe.write)
            defer { close(pipe.read) }
            let said = try readText(pipe.read, name: "tar")
            return (try waitForEnd(of: child).exitStatus, said)
        }
        if status == 0 { return }
        let first = said.split(separator: "\n").first.map { String($0) } ?? "status \(status)"
        throw LaunchError("the files in \(directory) cannot be packed or unpacked: \(first)")
    }
}
