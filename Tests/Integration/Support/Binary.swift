import CLinux
import Glibc

/// The executable under test: $SANDBOX_BINARY, or the one built beside the test bundle.
enum Binary {
    static let path: String = {
        if let named = getenv("SANDBOX_BINARY") { return String(cString: named) }
        return folder + "/sandbox"
    }()

    /// The folder of the test bundle: build products.
    static let folder: String = {
        let bundle = Files.linkTarget("/proc/self/exe") ?? ""
        return bundle.lastIndex(of: "/").map { String(bundle[..<$0]) } ?? "."
    }()

    /// The executable as any user may start it: itself, or a copy when a folder above it is closed to others.
    static let shared: String = isOpen(path) ? path : Harness.copy(path, as: "sandbox")

    private static func isOpen(_ path: String) -> Bool {
        var folder = path
        while let slash = folder.lastIndex(of: "/"), slash != folder.startIndex {
            folder = String(folder[..<slash])
            var status = stat()
            if stat(folder, &status) != 0 || status.st_mode & S_IXOTH == 0 { return false }
        }
        return true
    }
}

/// What all tests of one run share: a folder under /tmp, removed when the process exits.
enum Harness {
    static let folder: String = {
        signal(SIGPIPE, SIG_IGN)
        sweep()
        var template = Array("/tmp/sandbox-test-\(getpid())-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("cannot make a folder under /tmp: errno \(errno)") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(path, 0o755)
        atexit { Harness.remove(Harness.folder) }
        return path
    }()

    /// Removes what a run left that was killed: folders of ours whose process is gone.
    private static func sweep() {
        for name in Files.list("/tmp") where name.hasPrefix("sandbox-test-") {
            guard let pid = name.split(separator: "-").dropFirst(2).first.flatMap({ pid_t($0) }) else { continue }
            var status = stat()
            guard kill(pid, 0) < 0, errno == ESRCH, lstat("/tmp/" + name, &status) == 0 else { continue }
            if status.st_uid == geteuid() { remove("/tmp/" + name) }
        }
    }

    /// Removes a tree, never crossing into another file system.
    static func remove(_ path: String) {
        let command = ["rm", "-rf", "--one-file-system", "--", path]
        _ = try? Child.capture(command, environment: environment)
    }

    /// The environment of every process that a test starts; nothing of the caller's.
    static let environment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "xterm", "LANG": "C.UTF-8",
    ]

    static func copy(_ path: String, as name: String) -> String {
        let target = folder + "/" + name
        let outcome = try? Child.capture(["cp", "-p", "--", path, target], environment: environment)
        precondition(outcome?.succeeded == true, "cannot copy \(path)")
        chmod(target, 0o755)
        return target
    }
}
