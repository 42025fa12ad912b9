import Profile
import Testing

@testable import Checkpoint
@testable import Kernel

@Suite("Mounts of a box that is saved")
struct BoxMountsTests {
    private func entry(
        _ path: String, _ type: String = "ext4", device: String = "8:1", root: String = "/", options: [String] = ["rw"],
        of filesystem: String = "rw"
    ) throws -> MountEntry {
        let line = "1 0 \(device) \(root) \(path) \(options.joined(separator: ",")) - \(type) source \(filesystem)"
        return try #require(MountEntry(line: line[...]))
    }

    private func mounts(
        _ entries: [MountEntry], skipped: Set<String> = [], layers: [String] = [], files: Set<String> = []
    ) -> BoxMounts {
        BoxMounts(entries, host: ["8:1", "0:5"], skipped: skipped, layers: layers) { files.contains($0) }
    }

    @Test("a file of a filesystem that is mounted nowhere is ours to make again, and nothing else is")
    func files() throws {
        let all = try [
            entry("/"), entry("/etc/motd", "tmpfs", device: "0:40", root: "/motd"),
            entry("/etc/hosts", "tmpfs", device: "0:5", root: "/hosts"),
            entry("/tmp", "tmpfs", device: "0:41"), entry("/etc/x", "tmpfs", device: "0:41", root: "/x"),
            entry("/srv", "tmpfs", device: "0:42", root: "/sub"),
        ]
        let found = mounts(all, files: ["/etc/motd", "/etc/hosts", "/etc/x"])
        #expect(found.foreign.map(\.path) == ["/etc/motd"])
        #expect(found.foreign.map(\.kind) == [.file])
        #expect(found.saved.count == 6)
    }

    @Test("layers of the overlay are ours, another overlay is not; each has a key of its own")
    func layers() throws {
        let all = try [
            entry("/", "overlay", device: "0:50"), entry("/usr", "overlay", device: "0:51"),
            entry("/srv", "overlay", device: "0:52"), entry("/etc/motd", "tmpfs", device: "0:40", root: "/motd"),
        ]
        let found = mounts(all, layers: ["/usr"], files: ["/etc/motd"])
        #expect(found.foreign.map(\.path) == ["/usr", "/etc/motd"])
        #expect(Set(found.foreign.map(\.key)).count == 2)
    }

    @Test("empty directories that hide others are ours; another that is empty or hidden is not") func empty() throws {
        let marks = "rw,size=4k,nr_inodes=1,mode=000"
        let all = try [
            entry("/"), entry("/proc/acpi", "tmpfs", device: "0:42", options: ["ro"], of: marks),
            entry("/sys/firmware", "tmpfs", device: "0:42", options: ["ro"], of: marks),
            entry("/a", "tmpfs", device: "0:43", of: marks),
            entry("/b", "tmpfs", device: "0:44", options: ["ro"], of: "rw,size=4k,mode=000"),
            entry("/c", "tmpfs", device: "0:45", options: ["ro"], of: "rw,nr_inodes=1"),
        ]
        let found = mounts(all)
        #expect(found.foreign.map(\.path) == ["/proc/acpi", "/sys/firmware"])
        #expect(found.foreign.allSatisfy { $0.kind == .empty } && Set(found.foreign.map(\.key)).count == 2)
        #expect(ForeignMount(found.foreign[0].value) == found.foreign[0] && found.saved.count == 6)
    }

    @Test("what no path leads to, and views of the kernel, are not looked for")
    func skipped() throws {
        let all = try [entry("/"), entry("/below"), entry("/sys/kernel/tracing", "tracefs", device: "0:7")]
        let found = mounts(all, skipped: ["/below"])
        #expect(found.skipped == ["/below"] && found.saved.map(\.path) == ["/"])
    }

    @Test("they are read back as they were written, and other things are not read")
    func values() throws {
        let mount = SavedMount(path: "/a b", type: "tmpfs", attributes: [.readOnly, .nosuid])
        #expect(SavedMount(mount.value) == mount)
        #expect(SavedMount(.string("/")) == nil && SavedMount(.array([.string("/")])) == nil)
        var foreign = ForeignMount("/etc/motd", .file, key: "file-0")
        (foreign.mode, foreign.owner, foreign.group) = (0o644, 5, 6)
        #expect(ForeignMount(foreign.value) == foreign)
        #expect(ForeignMount(.array([])) == nil)
        #expect(try SavedMount(entry("/", options: ["ro", "nodev", "relatime"])).attributes == [.readOnly, .nodev])
    }

    @Test("a missing mount, another type and other attributes are told apart; the last on a place is what counts")
    func comparison() {
        let root = SavedMount(path: "/", type: "ext4", attributes: [])
        let secret = SavedMount(path: "/srv", type: "tmpfs", attributes: [.readOnly])
        func differences(_ restored: [SavedMount]) -> (problem: String?, mends: [SavedMount]) {
            MountComparison.differences([root, secret], restored)
        }
        #expect(differences([root, secret]).problem == nil && differences([root, secret]).mends.isEmpty)
        #expect(differences([root]).problem?.contains("/srv has not come back") == true)
        var other = secret
        other.type = "ext4"
        #expect(differences([root, other]).problem?.contains("of type ext4") == true)
        other = secret
        other.attributes = []
        #expect(differences([root, other]).mends == [secret])
        #expect(differences([root, secret, other]).mends == [secret])
        #expect(differences([root, other, secret]).mends.isEmpty)
    }

    @Test("a place is missed that should be on the root, and none on another mount") func misplaced() {
        let mounts = ["/", "/proc", "/media/stick", "/media/stick/deep", "/media/sticks"].map {
            SavedMount(path: $0, type: "tmpfs", attributes: [])
        }
        func missing(_ there: Set<String>) -> String? {
            MountComparison.misplaced(mounts) { there.contains($0) }?.path
        }
        #expect(missing(["/proc", "/media/stick", "/media/sticks"]) == nil)
        #expect(missing(["/proc", "/media/sticks"]) == "/media/stick")
        #expect(missing(["/proc", "/media/stick"]) == "/media/sticks")
    }
}
