import Testing

@testable import Checkpoint

@Suite("What is in the way of a checkpoint")
struct BlockerTests {
    private static let spaces = ["pid": "pid:[2]", "user": "user:[2]", "ipc": "ipc:[2]", "uts": "uts:[1]"]

    private func box(_ files: [OpenFile] = [], _ change: (inout ProcessFacts) -> Void = { _ in }) -> BoxFacts {
        var facts = BoxFacts()
        facts.host = ["pid": "pid:[1]", "user": "user:[1]", "ipc": "ipc:[1]"]
        var process = ProcessFacts(pid: 7)
        (process.namespaces, process.mounts, process.files) = (Self.spaces, [10, 11], files)
        change(&process)
        facts.processes = [process]
        return facts
    }

    @Test("a clean box has none")
    func clean() {
        let files = [
            OpenFile(0, .device, "/dev/null", mount: 3), OpenFile(1, .file, "/etc/hosts", mount: 10),
            OpenFile(2, .socket, "socket:[5]"), OpenFile(3, .other, "pipe:[6]"),
            OpenFile(4, .file, "/memfd:x (deleted)", mount: 3), OpenFile(5, .file, "net:[9]", mount: 3),
            OpenFile(6, .other, "anon_inode:[eventpoll]"), OpenFile(7, .device, "/dev/pts/0", mount: 11),
        ]
        #expect(box(files).blockers.isEmpty)
    }

    @Test(
        "an offender among descriptors is named, with what mends it",
        arguments: [
            (OpenFile(5, .other, "anon_inode:[io_uring]"), "checkpoint.enabled"),
            (OpenFile(5, .other, "anon_inode:[userfaultfd]"), "checkpoint.enabled"),
            (OpenFile(5, .other, "anon_inode:[perf_event]"), "checkpoint.enabled"),
            (OpenFile(5, .other, "anon_inode:bpf-map"), "checkpoint.enabled"),
            (OpenFile(5, .file, "/secretmem (deleted)", mount: 3), "checkpoint.enabled"),
            (OpenFile(5, .socket, "socket:[5]", protocol: "AF_VSOCK"), "checkpoint.enabled"),
            (OpenFile(5, .socket, "socket:[5]", protocol: "MPTCP"), "checkpoint.enabled"),
            (OpenFile(5, .other, "anon_inode:seccomp notify"), "checkpoint.enabled"),
            (OpenFile(5, .queue, "/jobs", mount: 3), "checkpoint.enabled"),
            (OpenFile(5, .socket, "socket:[5]", protocol: "SCTP"), "TCP"),
            (OpenFile(5, .socket, "socket:[5]", protocol: "AF_ALG"), "TCP"),
            (OpenFile(5, .device, "/dev/net/tun", mount: 10), "network.switch"),
            (OpenFile(5, .device, "/dev/fuse", mount: 10), "outside"),
            (OpenFile(5, .device, "/dev/dri/card0", mount: 10), "filesystem.private"),
            (OpenFile(5, .device, "/dev/pts/3", mount: 3), "-d"),
            (OpenFile(5, .file, "/var/log/x", mount: 3), "inside"),
        ])
    func descriptor(file: OpenFile, mend: String) throws {
        let found = box([file]).blockers
        let blocker = try #require(found.first)
        #expect(found.count == 1)
        #expect(blocker.pid == 7 && blocker.descriptor == 5 && blocker.mend.contains(mend), "\(blocker)")
        #expect(blocker.subject.hasPrefix(file.target))
    }

    @Test("the other end of a UNIX socket is inside, outside, or an X server outside")
    func unixSockets() {
        let socket = OpenFile(3, .socket, "socket:[5]", protocol: "UNIX")
        var facts = box([socket, OpenFile(4, .socket, "socket:[6]", protocol: "UNIX")])
        facts.peers = [5: 6, 6: 5]
        #expect(facts.blockers.isEmpty)
        facts.peers = [5: 99, 6: 0]
        facts.hostSockets = [99: "/run/d.sock"]
        #expect(facts.blockers.map(\.subject) == ["socket:[5] to /run/d.sock"])
        facts.hostSockets = [99: "@/tmp/.X11-unix/X0"]
        #expect(facts.blockers.map(\.reason) == ["its X server is outside the sandbox"])
    }

    @Test("what a process is can be in the way")
    func processes() {
        #expect(box { $0.session = 0 }.blockers.map(\.subject) == ["session"])
        #expect(box { $0.tracer = 9 }.blockers.map(\.subject) == ["traced by process 9"])
        #expect(box { $0.maps = ["/secretmem"] }.blockers.map(\.subject) == ["memory /secretmem"])
        var facts = box()
        var inner = ProcessFacts(pid: 8)
        (inner.namespaces, inner.namespaces["user"]) = (Self.spaces, "user:[3]")
        facts.processes.append(inner)
        #expect(facts.blockers.map(\.pid) == [8])
        facts.processes[1].namespaces = Self.spaces
        for kind in ["pid", "ipc", "uts", "cgroup", "time"] {
            facts.processes[1].namespaces[kind] = "\(kind):[7]"
            #expect(facts.blockers.map(\.subject) == ["a \(kind) namespace of its own"])
            facts.processes[1].namespaces[kind] = Self.spaces[kind]
        }
    }

    @Test("another user's limits need the capability, or a user namespace")
    func limits() {
        var facts = box { $0.uid = 1000 }
        #expect(facts.blockers.isEmpty)
        facts.reachesLimits = false
        #expect(facts.blockers.isEmpty)
        facts.processes[0].namespaces["user"] = "user:[1]"
        #expect(facts.blockers.map(\.subject) == ["user 1000"])
    }

    @Test("the whole: our init, Landlock, the foreground, keys, connections of the host's and who came in by exec")
    func whole() {
        var facts = box { $0.namespaces["pid"] = "pid:[1]" }
        #expect(facts.blockers.map(\.subject) == ["no pid namespace"])
        (facts.hasInit, facts.hasLandlock, facts.isAttended, facts.sharesConnections) = (true, true, false, true)
        facts.unsupported = ["filesystem.root"]
        facts.strangers = [99]
        #expect(facts.blockers.count == 7)
        #expect(facts.blockers[0].mend.contains("checkpoint.enabled = true"))
        #expect(facts.blockers[1].mend.contains("-d"))
        #expect(facts.blockers.contains { $0.subject == "filesystem.root" })
        #expect(facts.blockers.contains { $0.mend.contains("network.switch") })
        #expect(facts.blockers.last?.pid == 99)
    }

    @Test("watches need files with handles where the root is an overlay")
    func overlay() {
        let watch = OpenFile(5, .other, "anon_inode:inotify")
        #expect(box([watch]).blockers.isEmpty)
        #expect(box([watch]) { $0.hasPlainOverlay = true }.blockers.map(\.descriptor) == [5])
        var facts = ProcessFacts(pid: 7)
        facts.take(
            mounts: "5 1 0:1 / / rw - ext4 /dev/sda rw\n7 5 0:2 / / rw shared:1 - overlay overlay rw,lowerdir=/\n")
        #expect(facts.mounts == [5, 7] && facts.hasPlainOverlay)
        facts.take(mounts: "7 5 0:2 / / rw - overlay overlay rw,index=on,nfs_export=on\n")
        #expect(!facts.hasPlainOverlay)
    }

    @Test("System V memory is the box's where its ipc namespace is")
    func sharedMemory() {
        var facts = box()
        facts.processes[0].take(maps: "7f0-7f1 rw-s 0 00:01 5 /SYSV00000000 (deleted)\n7f2-7f3 rw-p 0 00:00 0 [heap]\n")
        #expect(facts.blockers.isEmpty)
        facts.processes[0].namespaces["ipc"] = "ipc:[1]"
        #expect(facts.blockers.map(\.subject) == ["memory /SYSV00000000 (deleted)"])
    }

    @Test(
        "protocols",
        arguments: [
            (1, 0, "UNIX"), (2, 6, ""), (10, 132, "SCTP"), (2, 262, "MPTCP"), (16, 0, ""), (17, 0, ""),
            (38, 0, "AF_ALG"), (40, 0, "AF_VSOCK"), (44, 0, "AF_XDP"), (31, 0, "family 31"),
        ] as [(Int32, Int32, String)])
    func protocols(family: Int32, number: Int32, name: String) {
        #expect(protocolName(family: family, number) == name)
    }

    @Test("status and the table of sockets are read")
    func reading() {
        var facts = ProcessFacts(pid: 7)
        facts.take(status: "Name:\tx\nTracerPid:\t3\nUid:\t5\t6\t6\t6\nNSsid:\t70\t1\n")
        #expect(facts.uid == 5 && facts.tracer == 3 && facts.session == 1)
        let table =
            "Num RefCount Protocol Flags Type St Inode Path\n"
            + "0000: 00000002 00000000 00010000 0001 01 123 /run/a b\n0000: 00000003 00000000 00000000 0001 03 124\n"
        #expect(pathsOfSockets(table) == [123: "/run/a b"])
    }
}
