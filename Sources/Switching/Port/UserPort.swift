import CLinux
import Glibc
import Kernel
import Profile

/// A network by the caller's own sockets, without a switch and without root: pasta(1) beside the box.
struct UserPort {
    private let name: String
    private let mtu: Int?
    private let publish: [Publication]

    init(_ interface: Profile.Interface, _ name: String) {
        self.name = name
        mtu = interface.mtu
        publish = interface.publish
    }

    func make(_ box: BoxReference) throws(SwitchError) -> Port {
        let program = try Program("pasta", package: "passt")
        if access("/dev/net/tun", R_OK | W_OK) != 0 {
            throw SwitchError(
                key: "attach", "/dev/net/tun cannot be opened: \(String(cString: strerror(errno)))",
                mend: "as root: chmod 666 /dev/net/tun")
        }
        let pid = box.pid
        var child: Int32 = -1
        try Guardian(box, kept: [box.namespace]).start({ () throws(SwitchError) in
            // It drops what it would need to look at a process of root's, but takes an open namespace.
            try started(program, "/proc/self/fd/\(UserPort.namespace)", box, &child, otherwise: "/proc/\(pid)/ns/net")
        }) {
            if child > 0 { kill(child, SIGKILL) }
        }
        return Port(name: name, switchName: nil, attach: .user, addresses: [], mac: nil)
    }

    /// The descriptor of the box's network namespace in pasta.
    private static let namespace: Int32 = 3

    /// Versions of 2024 and later close what they inherit: those are given the other path.
    private func started(
        _ program: Program, _ path: String, _ box: BoxReference, _ child: inout Int32, otherwise other: String?
    ) throws(SwitchError) -> Int32 {
        do throws(SwitchError) {
            return try start(program, path, box, &child)
        } catch {
            guard let other, error.message.contains("namespace") else { throw error }
            return try started(program, other, box, &child, otherwise: nil)
        }
    }

    /// - Returns: where it says what else it has to say.
    private func start(
        _ program: Program, _ path: String, _ box: BoxReference, _ child: inout Int32
    ) throws(SwitchError) -> Int32 {
        let folder = try attributed { () throws(SystemError) in try PrivateFolder() }
        defer { folder.remove() }
        let words = [program.path] + arguments(path, box, folder.pipe)
        let (pid, noise, ready) = try attributed { () throws(SystemError) in
            let ready = try Descriptor(open: folder.pipe, O_RDONLY | O_NONBLOCK).take()
            let pipe = try makePipe("start \(program.path)")
            let pid = try startChild(in: []) { become(words, pipe.write, box.namespace) }
            close(pipe.write)
            return (pid, pipe.read, ready)
        }
        defer { close(ready) }
        var said: [UInt8] = []
        while true {
            switch hear(ready, noise, &said) {
            case .ready:
                child = pid
                return noise
            case .more: continue
            case .ended:
                close(noise)
                _ = try attributed { () throws(SystemError) in try waitForEnd(of: pid) }
                throw failure(said)
            }
        }
    }

    private enum Event { case ready, more, ended }

    private func hear(_ ready: Int32, _ noise: Int32, _ said: inout [UInt8]) -> Event {
        var waits = [
            pollfd(fd: ready, events: Int16(POLLIN), revents: 0), pollfd(fd: noise, events: Int16(POLLIN), revents: 0),
        ]
        if poll(&waits, 2, 20_000) <= 0 { return errno == EINTR ? .more : .ended }
        // Its process id, once all is set up.
        if Int32(waits[0].revents) & POLLIN != 0 { return .ready }
        if waits[1].revents == 0 {
            // The pipe's writer has gone without a word.
            usleep(1000)
            return .more
        }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(noise, &bytes, bytes.count)
        if count <= 0 { return .ended }
        if said.count < 65_536 { said += bytes[..<count] }
        return .more
    }

    /// What it complains of last; that it has no syslog is not it.
    private func failure(_ said: [UInt8]) -> SwitchError {
        let lines = String(decoding: said, as: UTF8.self).split(separator: "\n").map { String($0) }
        let reason = lines.last { !$0.hasPrefix("Failed to send ") } ?? "it ended without a word"
        let isPort = reason.contains("port") && !publish.isEmpty
        return SwitchError(
            key: isPort ? "publish" : "attach", "pasta failed: \(reason)",
            mend: isPort ? "choose another port of the host" : nil)
    }

    private func arguments(_ namespace: String, _ box: BoxReference, _ pipe: String) -> [String] {
        var words = ["-f", "-q", "--config-net", "-I", name, "-P", pipe]
        if let mtu { words += ["-m", "\(mtu)"] }
        if geteuid() == 0 { words += ["--runas", "0"] }
        for (option, transport) in [("-t", Transport.tcp), ("-u", .udp)] {
            let own = publish.filter { $0.transport == transport }
            if own.isEmpty { words += [option, "none"] }
            for publication in own { words += [option, publication.pastaText] }
        }
        // Nothing of the host's loopback is the box's.
        words += ["-T", "none", "-U", "none", "--no-map-gw"]
        if hasOwnUserNamespace(box) {
            words += ["--userns", "/proc/\(box.pid)/ns/user"]
        } else {
            words.append("--netns-only")
        }
        return words + ["--netns", namespace]
    }

    private func hasOwnUserNamespace(_ box: BoxReference) -> Bool {
        var (own, other) = (stat(), stat())
        return stat("/proc/self/ns/user", &own) == 0 && stat("/proc/\(box.pid)/ns/user", &other) == 0
            && own.st_ino != other.st_ino
    }

    private func become(_ words: [String], _ output: Int32, _ namespace: Int32) -> Never {
        _ = linux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0)
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE] { signal(number, SIG_DFL) }
        guard dup2(output, 1) == 1, dup2(output, 2) == 2 else { _exit(125) }
        let copy = linux_fcntl(namespace, F_DUPFD_CLOEXEC, 64)
        guard copy >= 0, dup2(copy, UserPort.namespace) == UserPort.namespace else { _exit(125) }
        _ = linux_close_range(UInt32(UserPort.namespace) + 1, UInt32.max, 0)
        withCStrings(words) { arguments in
            withCStrings(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]) { environment in
                if let program = arguments[0] { _ = execve(program, arguments, environment) }
            }
        }
        _exit(127)
    }
}

extension Publication {
    /// As pasta(1) writes it: `127.0.0.1/8080-8089:80-89`.
    fileprivate var pastaText: String {
        let last = target + UInt16(ports.count - 1)
        let text =
            ports.count == 1
            ? "\(ports.lowerBound):\(target)" : "\(ports.lowerBound)-\(ports.upperBound):\(target)-\(last)"
        return address.map { "\($0)/\(text)" } ?? text
    }
}

/// A folder that nobody else looks into, with a named pipe in it.
private struct PrivateFolder {
    private let path: String
    var pipe: String { path + "/ready" }

    init() throws(SystemError) {
        var template = Array("/tmp/sandbox-pasta-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("make a folder in /tmp", code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard mkfifo(pipe, 0o600) == 0 else {
            let code = errno
            remove()
            throw SystemError("make a named pipe in \(path)", code: code)
        }
    }

    func remove() {
        unlink(pipe)
        rmdir(path)
    }
}
