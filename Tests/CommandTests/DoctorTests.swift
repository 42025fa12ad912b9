import Glibc
import Profile
import Testing

@testable import sandbox

@Suite("What doctor makes of what it finds")
struct DoctorTests {
    private let ours = KernelVersion("6.18.44-fc-v657")

    @Test func kernelVersions() {
        #expect(ours == KernelVersion(major: 6, minor: 18))
        #expect(KernelVersion("6.1.0-37-amd64") < KernelVersion("6.12.3"))
        #expect(KernelVersion("6.9") < KernelVersion("6.16"))
    }

    @Test(
        "CRIU's versions on kernels",
        arguments: [
            ("Version: 3.17.1\n", "6.18.44", false), ("Version: 3.17.1", "6.1.0-37-amd64", true),
            ("Version: 4.1.1", "6.18.44", false), ("Version: 4.1.1", "6.12.0", true),
            ("Version: 4.2.1\nGitID: v4.2.1", "6.18.44", true), ("Version: 5.0", "7.1", true),
        ])
    func criu(output: String, kernel: String, isGood: Bool) throws {
        let version = try #require(CRIUVersion(output: output))
        let finding = criuFinding("/criu", version, kernel: KernelVersion(kernel))
        #expect(finding.state == (isGood ? .ok : .lacking))
        #expect(isGood || finding.fix != nil)
    }

    @Test func noCRIUVersion() { #expect(CRIUVersion(output: "Usage: criu") == nil) }

    @Test("layouts of control groups")
    func controlGroups() {
        let two = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
        #expect(ControlGroups(mountinfo: two).layout == .unified)
        #expect(ControlGroups(mountinfo: two).unified == "/sys/fs/cgroup")
        let one = """
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
            35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
            40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd

            """
        let legacy = ControlGroups(mountinfo: one)
        #expect(legacy.layout == .legacy)
        #expect(legacy.legacy == ["cpu": "/sys/fs/cgroup/cpu,cpuacct", "memory": "/sys/fs/cgroup/memory"])
        #expect(ControlGroups(mountinfo: one + two.replacing("/sys/fs/cgroup", with: "/u")).layout == .hybrid)
        #expect(ControlGroups(mountinfo: "22 1 8:1 / / rw - ext4 /dev/sda rw\n").layout == .none)
        let findings = controllerFindings(legacy, unified: "")
        #expect(findings.filter { $0.state == .ok }.map(\.id) == ["controller-memory", "controller-cpu"])
        #expect(
            controllerFindings(ControlGroups(mountinfo: two), unified: "cpuset cpu io memory pids\n").allSatisfy {
                $0.state == .ok
            })
    }

    @Test(
        "each cause of no user namespaces has its own mend",
        arguments: [
            (0, 1000, nil, "kernel.unprivileged_userns_clone=1"), (nil, 0, nil, "user.max_user_namespaces"),
            (1, 1000, 1, "kernel.apparmor_restrict_unprivileged_userns=0"), (nil, 1000, nil, "CONFIG_USER_NS"),
        ] as [(Int?, Int?, Int?, String)])
    func userNamespaces(clone: Int?, maximum: Int?, appArmor: Int?, fix: String) {
        let facts = UserNamespaceFacts(
            unprivilegedClone: clone, maximum: maximum, appArmorRestriction: appArmor, code: EPERM)
        let finding = userNamespaceFinding(facts, isRequired: true)
        #expect(finding.state == .lacking)
        #expect(finding.fix?.contains(fix) == true)
        var working = facts
        working.code = 0
        #expect(userNamespaceFinding(working, isRequired: true).state == .ok)
    }

    @Test("subordinate ids are found by name or number")
    func ranges() {
        let text = "someone:100000:65536\n1000:200000:65536\n"
        func state(_ name: String, _ number: UInt32) -> HostFinding.State {
            rangeFinding("subuid", path: "/etc/subuid", name: name, number: number, text: text, isRoot: number == 0)
                .state
        }
        #expect(state("someone", 7) == .ok)
        #expect(state("me", 1000) == .ok)
        #expect(state("other", 1001) == .lacking)
        #expect(state("root", 0) == .note)
    }

    @Test func security() {
        #expect(seccompFinding(available: "kill_process trap errno trace log allow\n").state == .ok)
        #expect(seccompFinding(available: "errno allow").state == .lacking)
        #expect(seccompFinding(available: nil).isRequired)
        #expect(landlockFinding(abi: 7, code: 0).state == .ok)
        #expect(landlockFinding(abi: 3, code: 0).state == .note)
        #expect(landlockFinding(abi: -1, code: EOPNOTSUPP).fix?.contains("lsm=") == true)
        #expect(landlockFinding(abi: -1, code: ENOSYS).fix?.contains("CONFIG_SECURITY_LANDLOCK") == true)
        #expect(terminalFinding(legacy: "0\n").state == .ok)
        #expect(terminalFinding(legacy: "1\n").state == .note)
    }

    @Test func modules() {
        let dependencies = "kernel/drivers/net/veth.ko.xz:\nkernel/net/bridge/bridge.ko: kernel/net/llc/llc.ko\n"
        #expect(moduleState("veth", dependencies: dependencies) == .loadable)
        #expect(moduleState("bridge", dependencies: dependencies) == .loadable)
        #expect(moduleState("llc", dependencies: dependencies) == .unknown)
    }

    @Test("only what the launcher needs decides")
    func readiness() {
        let lacking = HostFinding(.network, "veth", .lacking, "no veth")
        #expect(Diagnosis(kernel: "6.18", findings: [lacking]).isReady)
        let required = HostFinding(.security, "seccomp", .lacking, "no", fix: "boot", isRequired: true)
        let diagnosis = Diagnosis(kernel: "6.18", findings: [lacking, required])
        #expect(!diagnosis.isReady)
        let style = Style(isTerminal: false, noColour: nil, term: nil)
        #expect(diagnosis.text(width: 80, style: style).contains("fix: boot"))
        #expect(diagnosis.document["ready"] == .bool(false))
    }
}
