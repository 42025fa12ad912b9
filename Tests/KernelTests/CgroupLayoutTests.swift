import Testing

@testable import Kernel

private let hybrid = """
    31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
    32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
    35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
    40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
    41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
    """

@Suite struct CgroupLayoutTests {
    @Test func unifiedAlone() {
        let layout = CgroupLayout(
            mountinfo: "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
            membership: "0::/user.slice/user-1000.slice/session-2.scope\n"
        ) { point in
            #expect(point == "/sys/fs/cgroup")
            return "cpuset cpu io memory pids\n"
        }
        #expect(
            layout.hierarchies == [
                .init(
                    .v2, controllers: ["cpuset", "cpu", "io", "memory", "pids"], mountPoint: "/sys/fs/cgroup",
                    own: "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope")
            ])
    }

    @Test func hybridLeavesNamedHierarchiesOut() {
        let layout = CgroupLayout(
            mountinfo: hybrid, membership: "4:memory:/a/b\n3:cpu,cpuacct:/\n2:name=systemd:/\n0::/\n"
        ) { _ in "" }
        #expect(
            layout.hierarchies == [
                .init(
                    .v1, controllers: ["cpu", "cpuacct"], mountPoint: "/sys/fs/cgroup/cpu,cpuacct",
                    own: "/sys/fs/cgroup/cpu,cpuacct"),
                .init(
                    .v1, controllers: ["memory"], mountPoint: "/sys/fs/cgroup/memory", own: "/sys/fs/cgroup/memory/a/b"
                ),
                .init(.v2, controllers: [], mountPoint: "/sys/fs/cgroup/unified", own: "/sys/fs/cgroup/unified"),
            ])
    }

    @Test(arguments: [
        ("/docker/abc", "/docker/abc", "/cg"), ("/docker/abc", "/docker/abc/x", "/cg/x"),
        ("/docker/abc", "/docker/abcd", nil), ("/docker/abc", "/", nil), ("/", "/../outside", nil),
        ("/", "/a", "/cg/a"),
    ])
    func ownGroupInAPartlyMountedTree(root: String, path: String, own: String?) {
        let layout = CgroupLayout(
            mountinfo: "30 24 0:26 \(root) /cg rw - cgroup2 cgroup2 rw", membership: "0::\(path)\n"
        ) { _ in "" }
        #expect(layout.unified?.own == own)
        #expect(layout.hierarchies.count == 1)
    }

    @Test func escapedMountPointAndSecondMount() {
        let layout = CgroupLayout(
            mountinfo: """
                30 24 0:26 / /cg\\040two rw - cgroup2 cgroup2 rw
                31 24 0:26 / /again rw - cgroup2 cgroup2 rw
                """, membership: "0::/\n"
        ) { _ in "" }
        #expect(layout.hierarchies.map(\.mountPoint) == ["/cg two"])
    }

    @Test(arguments: ["", "nonsense", "1 2 3 - cgroup2", "30 24 0:26 / /cg rw - ext4 /dev/sda rw"])
    func nothingMounted(mountinfo: String) {
        #expect(CgroupLayout(mountinfo: mountinfo, membership: "0::/\n") { _ in "memory" }.hierarchies.isEmpty)
    }

    @Test func startTimeBehindAnOddCommandName() {
        let stat = "77 (a) S 1) R 1 77 77 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 168324 9 9"
        #expect(ProcessIdentity.start(inStat: stat) == 168324)
        #expect(ProcessIdentity.start(inStat: "77 (a) R 1") == nil)
    }

    @Test func ownerInALeafName() {
        #expect(ProcessIdentity(leaf: "run-12-3456") == ProcessIdentity(pid: 12, start: 3456))
        #expect(ProcessIdentity(leaf: "web-2-12-3456") == ProcessIdentity(pid: 12, start: 3456))
        for foreign in ["web", "12-34", "run-x-1", "run-1-x", "run--1-2x", "run-0-1"] {
            #expect(ProcessIdentity(leaf: foreign) == nil, "\(foreign)")
        }
    }
}
