import Glibc
import Testing

@testable import Kernel

struct ProcessStatusTests {
    static let text = """
        Name:\tsh\\nUid: 7
        Umask:\t0027
        State:\tS (sleeping)
        Pid:\t19738
        Uid:\t1000\t0\t0\t0
        Gid:\t1001\t0\t0\t0
        Groups:\t4 1001 
        CapInh:\t0000000000000400
        CapPrm:\t00000000000004c1
        CapEff:\t00000000000000c1
        CapBnd:\t000001ffffffffff
        CapAmb:\t0000000000000400
        NoNewPrivs:\t1
        Seccomp:\t2
        Seccomp_filters:\t3
        Speculation_Store_Bypass:\tvulnerable

        """

    @Test func allFields() throws {
        let status = try #require(ProcessStatus(text: Self.text))
        #expect(status.state == "S")
        #expect(status.realUID == 1000 && status.realGID == 1001)
        #expect(status.groups == [4, 1001] && status.umask == 0o27)
        #expect(status.capabilities.inheritable.bits == 0x400 && status.capabilities.ambient.bits == 0x400)
        #expect(status.capabilities.permitted.bits == 0x4c1 && status.capabilities.effective.bits == 0xc1)
        #expect(status.capabilities.bounding.bits == 0x1ff_ffff_ffff)
        #expect(status.noNewPrivileges && status.filters == 3)
    }

    @Test func withoutACountOfFilters() throws {
        let text = Self.text.replacing("Seccomp_filters:\t3\n", with: "")
        #expect(ProcessStatus(text: text)?.filters == 1)
        #expect(ProcessStatus(text: text.replacing("Seccomp:\t2", with: "Seccomp:\t0"))?.filters == 0)
    }

    @Test func noGroups() {
        #expect(ProcessStatus(text: Self.text.replacing("4 1001 ", with: " "))?.groups == [])
    }

    @Test(arguments: ["Uid", "Gid", "Groups", "CapBnd", "NoNewPrivs", "Umask", "State", "Seccomp"])
    func missing(field: String) {
        let lines = Self.text.split(separator: "\n").filter { !$0.hasPrefix(field + ":") }
        // What is missing must not count as nothing, but for the filters' two lines, of which either is enough.
        #expect((ProcessStatus(text: lines.joined(separator: "\n")) == nil) == (field != "Seccomp"))
    }

    @Test(arguments: [("1000\t0", "-1\t0"), ("0000000000000400", "zz"), ("4 1001", "4 x"), ("0027", "9")])
    func malformed(good: String, bad: String) {
        #expect(ProcessStatus(text: Self.text.replacing(good, with: bad)) == nil)
    }

    @Test func own() throws {
        let status = try ProcessStatus.current()
        #expect(status.realUID == getuid() && status.realGID == getgid())
        #expect(status.capabilities.bounding == (try CapabilityState.current()).bounding)
        #expect(throws: SystemError.self) { try ProcessStatus(pid: Int32.max) }
    }

    @Test func limitsAreTheKernels() throws {
        for (resource, limit) in try limits(of: getpid()) {
            var values = rlimit64()
            #expect(prlimit64(0, __rlimit_resource(UInt32(resource.number)), nil, &values) == 0)
            #expect(limit.soft ?? .max == UInt64(values.rlim_cur), "\(resource)")
            #expect(limit.hard ?? .max == UInt64(values.rlim_max), "\(resource)")
        }
        #expect(try limits(of: getpid()).count == ResourceLimit.allCases.count)
    }

    @Test(arguments: ["", "Limit\nMax cpu time              unlimited            unlimited            seconds\n"])
    func noLimits(text: String) { #expect(ResourceLimit.limits(in: text) == nil) }

    @Test func theEndOfAProcessIsNoOtherProcess() throws {
        var own = try #require(try ProcessIdentity(pid: getpid()))
        #expect(try ProcessHandle(own) != nil)
        own.start += 1
        #expect(try ProcessHandle(own) == nil)
    }
}
