import CLinux
import Glibc
import Kernel

/// A cookie of the host's X server for clients that it does not trust: they see and type into no window but their own.
/// The server forgets it a minute after the last of them has gone.
struct HostCookie {
    private static let key = "display.server"
    private let display: Int

    init(display: Int) { self.display = display }

    func make() throws(LaunchError) -> Authority {
        let isOpen = try attributed(to: HostCookie.key) { () throws(SystemError) in try letsAnyoneIn() }
        if isOpen {
            throw LaunchError(
                key: HostCookie.key, "the X server trusts all programs of this machine or user, whatever their cookie",
                mend: "take that back by 'xhost -local: -si:localuser:NAME', or use \"private\"")
        }
        var template = Array("/tmp/sandbox-xauth-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw LaunchError(SystemError("make a directory for a cookie", code: errno), key: HostCookie.key)
        }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let file = folder + "/authority"
        defer {
            unlink(file)
            rmdir(folder)
        }
        try generate(into: file)
        let bytes = try attributed(to: HostCookie.key) { () throws(SystemError) in try read(file) }
        guard bytes.count > Authority.size else {
            throw LaunchError(
                key: HostCookie.key, "xauth made no cookie of an untrusted client",
                mend: "the X server must have the SECURITY extension, and XAUTHORITY must lead to a cookie of yours")
        }
        // An entry ends with it.
        return Authority(Array(bytes.suffix(Authority.size)))
    }

    /// Whether the server takes a client that shows no cookie.
    private func letsAnyoneIn() throws(SystemError) -> Bool {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let peer = Descriptor(try check("make a socket") { socket(AF_UNIX, type, 0) })
        let path = HostDisplayPlan.x11(display).socket
        try check("connect to \(path)") { linux_unix_connect(peer.number, path) }
        // Byte order "l", version 11.0, no authorization.
        let greeting: [UInt8] = [0x6c, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let action = "ask the X server"
        try check(action) { Int32(send(peer.number, greeting, greeting.count, Int32(MSG_NOSIGNAL))) }
        var wait = pollfd(fd: peer.number, events: Int16(POLLIN), revents: 0)
        if try check(action, { poll(&wait, 1, 10_000) }) == 0 { throw SystemError(action, code: ETIMEDOUT) }
        var answer: UInt8 = 0
        let count = try check(action) { Int32(recv(peer.number, &answer, 1, 0)) }
        return count == 1 && answer == 1
    }

    private func generate(into file: String) throws(LaunchError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number: Int32 in 0...2 { posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0) }
        let words = [
            "xauth", "-q", "-f", file, "generate", ":\(display)", Authority.kind, "untrusted", "timeout", "60",
        ]
        var pid: Int32 = 0
        let code = withCStrings(words) { posix_spawnp(&pid, "xauth", &actions, nil, $0, Glibc.environ) }
        if code != 0 {
            throw LaunchError(
                SystemError("start xauth", code: code, mend: code == ENOENT ? "install the package xauth" : nil),
                key: HostCookie.key)
        }
        // What it made tells whether it could.
        try attributed(to: HostCookie.key) { () throws(SystemError) in _ = try waitForEnd(of: pid) }
    }

    /// The file's bytes; none where there is no file.
    private func read(_ path: String) throws(SystemError) -> [UInt8] {
        if FileStatus(path: path) == nil { return [] }
        let file = try Descriptor(open: path, O_RDONLY)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try check("read \(path)") { Int32(Glibc.read(file.number, &bytes, bytes.count)) }
        return Array(bytes[..<Int(count)])
    }
}
