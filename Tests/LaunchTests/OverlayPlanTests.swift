import Profile
import Testing

@testable import Launch

@Suite("Overlay of a plan")
struct OverlayPlanTests {
    private func overlay(
        _ mounts: [(String, String)], _ change: @escaping (inout Profile.Filesystem) -> Void = { _ in }
    ) throws(LaunchError) -> OverlayPlan? {
        try filesystem(rootHost(mounts: mounts)) {
            $0.overlay = .init(upper: .tmpfs)
            change(&$0)
        }.overlay
    }

    @Test("filesystems get layers, the kernel's own are bound with all below") func kinds() throws {
        let plan = try overlay([
            ("/", "ext4"), ("/proc", "proc"), ("/sys", "sysfs"), ("/sys/fs/cgroup", "cgroup2"), ("/dev", "devtmpfs"),
            ("/dev/shm", "tmpfs"), ("/home", "xfs"), ("/run", "tmpfs"), ("/var/lib/nfs/rpc_pipefs", "rpc_pipefs"),
        ])
        #expect(plan?.layered == ["/run", "/home"])
        #expect(plan?.bound == ["/sys", "/dev", "/proc", "/var/lib/nfs/rpc_pipefs"])
    }

    @Test("a kernel's filesystem inside a layer is bound, and what only looks alike is not inside") func nested() throws
    {
        let plan = try overlay([("/dev", "tmpfs"), ("/dev/pts", "devpts"), ("/proc", "proc"), ("/process", "ext4")])
        #expect(plan?.layered == ["/dev", "/process"])
        #expect(plan?.bound == ["/proc", "/dev/pts"])
    }

    @Test("outer mounts come first, whatever the order of mounting") func order() throws {
        let plan = try overlay([
            ("/a/b/c", "ext4"), ("/a/b", "ext4"), ("/a", "ext4"), ("/x/y", "tmpfs"), ("/x", "proc"),
        ])
        #expect(plan?.layered == ["/a", "/a/b", "/a/b/c"])
        #expect(plan?.bound == ["/x"])
    }

    @Test("of mounts on one place the last one counts") func stacked() throws {
        #expect(try overlay([("/home", "autofs"), ("/home", "nfs4")])?.layered == ["/home"])
        #expect(try overlay([("/home", "autofs"), ("/home", "nfs4")])?.bound == [])
        #expect(try overlay([("/mnt", "ext4"), ("/mnt", "proc")])?.bound == ["/mnt"])
    }

    @Test("of another root only what is mounted in it") func foreignRoot() throws {
        let plan = try overlay([("/", "ext4"), ("/srv", "ext4"), ("/srv/deb/data", "ext4"), ("/srv/debian", "ext4")]) {
            $0.root = "/srv/deb"
        }
        #expect(plan?.layered == ["/data"])
        #expect(plan?.bound == [])
    }

    @Test("the layer's place and size") func upper() throws {
        let kept = try filesystem(host()) { $0.overlay = .init(upper: .directory("~/kept")) }
        #expect(kept.overlay?.upper == .directory("/home/alice/kept"))
        #expect(kept.changesRoot)
        let sized = try filesystem { $0.overlay = .init(upper: .tmpfs, size: 1 << 20) }
        #expect(sized.overlay?.size == 1 << 20)
        let both = refusal {
            $0.namespaces.unshare = [.mount]
            $0.filesystem.overlay = .init(upper: .directory("/kept"), size: 1 << 20)
        }
        #expect(both?.key == "filesystem.overlay.size")
    }
}
