import Kernel
import Profile
import Testing

@testable import Launch

@Suite("Landlock of a plan")
struct LandlockPlanTests {
    @Test("only when asked for") func off() throws {
        #expect(try filesystem { $0.readOnly = ["/usr"] }.landlock == nil)
    }

    @Test("without a mount namespace the lists of access alone") func withoutMounts() throws {
        let facts = host(glob: ["/etc/*.key": ["/etc/a.key"]])
        let access = try plan(facts) {
            $0.filesystem.landlock = true
            $0.filesystem.readOnly = ["/"]
            $0.filesystem.writable = ["~/work", "/dev"]
            $0.filesystem.hide = ["/etc/*.key", "/proc/kcore"]
        }.filesystem
        #expect(access.steps.isEmpty)
        #expect(access.landlock?.readOnly == ["/"])
        #expect(access.landlock?.writable == ["/home/alice/work", "/dev"])
        #expect(access.landlock?.hidden == ["/etc/a.key", "/proc/kcore"])
        #expect(access.landlock?.listsDirectories == false)
    }

    @Test("mounts are refused all the same") func refused() {
        let error = refusal {
            $0.filesystem.landlock = true
            $0.filesystem.privateAreas = [.tmp]
        }
        #expect(error?.key == "filesystem")
    }

    @Test("with mounts the same rules, but for /proc, /sys and /dev") func withMounts() throws {
        let access = try filesystem(rootHost(), [.pid]) {
            $0.landlock = true
            $0.readOnly = ["/usr", "/sys/class"]
            $0.privateAreas = [.tmp, .dev]
            var readOnly = Profile.Bind(from: "/a", to: "/b")
            readOnly.options.readOnly = true
            $0.binds = [readOnly, .init(from: "/c", to: "/d")]
            $0.writable = ["/srv"]
            $0.hide = ["/secret", "/dev/mem"]
        }.landlock
        #expect(access?.readOnly == ["/usr", "/b"])
        #expect(access?.writable == ["/tmp", "/var/tmp", "/d", "/srv", "/dev", "/proc"])
        #expect(access?.hidden == ["/secret"])
        #expect(access?.listsDirectories == true)
    }

    @Test("of two entries for one path the later decides; a read-only tmpfs is read-only") func later() throws {
        let access = try filesystem {
            $0.landlock = true
            $0.readOnly = ["/srv", "/etc"]
            $0.binds = [.init(from: "/data", to: "/srv")]
            $0.tmpfs = [.init(path: "/t"), .init(path: "/u")]
            $0.tmpfs[0].options.readOnly = true
        }.landlock
        #expect(access?.readOnly == ["/etc", "/t"])
        #expect(access?.writable == ["/u", "/srv", "/dev", "/proc"])
    }

    @Test("the rules' tree has real paths and leaves out what is missing") func tree() {
        var access = LandlockPlan()
        access.readOnly = ["/bin", "/gone"]
        access.writable = ["/w"]
        access.hidden = ["/link", "/gone"]
        let real = ["/bin": "/usr/bin", "/w": "/w", "/link": "/target"]
        let tree = AccessRules.tree(access) { real[$0] }
        #expect(tree.everythingElse == .writable)
        #expect(tree.readOnly == ["/usr/bin"])
        #expect(tree.writable == ["/w"])
        #expect(tree.hidden == ["/target"])
        #expect(tree.onTheWay == [])
        access.listsDirectories = true
        #expect(AccessRules.tree(access) { real[$0] }.onTheWay == .readDirectory)
    }
}
