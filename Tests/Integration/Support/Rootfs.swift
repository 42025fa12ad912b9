import Glibc

/// Another distribution's root directory in small: busybox, its applets, and accounts of its own.
struct Rootfs {
    let path: String

    static let applets = [
        "sh", "cat", "ls", "id", "mount", "umount", "readlink", "echo", "stat", "mkdir", "rmdir", "ps", "env",
        "sleep", "touch", "rm", "ln", "mv", "pwd", "true", "false", "tty", "stty", "grep", "test", "find", "chroot",
        "hostname", "dd", "kill", "head", "wc", "cp", "chmod", "uname", "whoami", "mknod",
    ]

    init(in box: Box, name: String = "rootfs") throws {
        path = try box.folder(name)
        for folder in ["bin", "dev", "proc", "sys", "tmp", "run", "var", "etc", "root", "home/alice", "usr/bin"] {
            try box.folder(name + "/" + folder)
        }
        try box.must(["cp", Rootfs.busybox, try Payload.probe(), try Payload.attack(), path + "/bin/"])
        for applet in Rootfs.applets { try link("/bin/" + applet, to: "busybox") }
        try write(
            "/etc/passwd",
            """
            root:x:0:0:root:/root:/bin/sh
            alice:x:1234:2345:Alice:/home/alice:/bin/sh

            """)
        try write("/etc/group", "root:x:0:\nusers:x:2345:\nstaff:x:3456:alice\naudio:x:4567:alice\n")
        try write("/etc/os-release", "ID=tiny\n")
    }

    func write(_ file: String, _ content: String, mode: mode_t = 0o644) throws {
        try Files.write(content, to: path + file, mode: mode)
    }

    func link(_ file: String, to target: String) throws {
        if Files.exists(path + file) { Harness.remove(path + file) }
        try Files.makeLink(path + file, to: target)
    }

    private static let busybox = ["/bin/busybox", "/usr/bin/busybox"].first(where: Files.canExecute) ?? "busybox"
}
