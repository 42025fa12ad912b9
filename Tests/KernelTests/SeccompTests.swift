import CSeccomp
import Glibc
import Testing

@testable import Kernel

private let x64 = SeccompArchitecture.x64
private let x86 = SeccompArchitecture.x86
private let x32 = SeccompArchitecture.x32

private let allow = SeccompFilter.Action.allow.code
private let eperm = SeccompFilter.Action.errno(EPERM).code
private let enosys = SeccompFilter.Action.errno(ENOSYS).code
private let kill = SeccompFilter.Action.killProcess.code

extension FilterMachine {
    /// What a call by name meets; nil when the architecture has no such call.
    fileprivate func decide(_ name: String, _ architecture: SeccompArchitecture, _ arguments: UInt64...) -> UInt32? {
        let number = name.withCString { SyscallName(pointer: $0).number(on: architecture) }
        switch number {
        case .number(let number):
            return decide(Call(number: number, audit: architecture.audit, arguments: arguments))
        case .multiplexed(_, _, let direct):
            return direct.flatMap { decide(Call(number: $0, audit: architecture.audit, arguments: arguments)) }
        case .absent, .unknown: return nil
        }
    }
}

private func compiled(
    _ rules: [SeccompFilter.Rule], default action: SeccompFilter.Action = .allow
) throws -> FilterMachine {
    FilterMachine(try SeccompFilter(defaultAction: action, rules: rules).compile())
}

private let isX86: Bool = seccomp_arch_native() == x64.token

@Suite(.enabled(if: isX86, "decisions are checked for x86-64's three conventions"))
struct SeccompTests {
    @Test func denyListMeetsEveryConvention() throws {
        let machine = try compiled([.init(["@mount", "ptrace"], .errno(EPERM))])
        for architecture in [x64, x86, x32] {
            #expect(machine.decide("mount", architecture) == eperm)
            #expect(machine.decide("umount2", architecture) == eperm)
            #expect(machine.decide("ptrace", architecture) == eperm)
            #expect(machine.decide("read", architecture) == allow)
            #expect(machine.decide("execve", architecture) == allow)
        }
        #expect(machine.decide("umount", x86) == eperm)
        #expect(machine.decide(.init(number: 9999, audit: x64.audit)) == allow)
        #expect(machine.decide(.init(number: .max, audit: x64.audit)) == allow)
    }

    @Test func foreignConventionIsKilled() throws {
        var filter = SeccompFilter(rules: [.init(["mount"], .errno(EPERM))], architectures: ["native"])
        let native = FilterMachine(try filter.compile())
        #expect(native.decide("mount", x64) == eperm)
        #expect(native.decide("getpid", x64) == allow)
        #expect(native.decide("getpid", x86) == kill)
        #expect(native.decide("getpid", x32) == kill)
        #expect(native.decide(.init(number: 0, audit: SeccompArchitecture.aarch64.audit)) == kill)
        filter.foreignAction = .errno(ENOSYS)
        let gentle = FilterMachine(try filter.compile())
        #expect(gentle.decide("getpid", x86) == enosys)
        #expect(gentle.decide("getpid", x32) == enosys)
        filter.architectures = ["x32"]
        let odd = FilterMachine(try filter.compile())
        #expect(odd.decide("getpid", x32) == allow)
        #expect(odd.decide("getpid", x64) == enosys)
    }

    @Test func actionsKeepTheirCodes() throws {
        let machine = try compiled([
            .init(["getpid"], .killProcess), .init(["getuid"], .log), .init(["gettid"], .trap),
            .init(["getgid"], .errno(EACCES)),
        ])
        #expect(machine.decide("getpid", x64) == UInt32(SECCOMP_RET_KILL_PROCESS))
        #expect(machine.decide("getuid", x64) == UInt32(SECCOMP_RET_LOG))
        #expect(machine.decide("gettid", x64) == UInt32(SECCOMP_RET_TRAP))
        #expect(machine.decide("getgid", x64) == UInt32(SECCOMP_RET_ERRNO) | UInt32(EACCES))
        #expect(machine.decide("getppid", x64) == UInt32(SECCOMP_RET_ALLOW))
    }

    @Test func allowListLetsAProgramStart() throws {
        let machine = try compiled([.init(["read", "write"], .allow)], default: .errno(EPERM))
        for architecture in [x64, x86, x32] {
            for name in ["execve", "exit", "exit_group", "rt_sigreturn", "brk", "mmap", "read", "mseal", "futex_wait"] {
                #expect(machine.decide(name, architecture) == allow, "\(name) on \(architecture.name)")
            }
            for name in ["openat", "socket", "ptrace", "mount"] {
                #expect(machine.decide(name, architecture) == eperm, "\(name) on \(architecture.name)")
            }
        }
    }

    @Test func allowListAnswersProbesOfNewCallsWithENOSYS() throws {
        let machine = try compiled([.init(["read"], .allow)], default: .errno(EPERM))
        for name in ["clone3", "openat2", "statmount", "landlock_create_ruleset", "open_tree_attr"] {
            #expect(machine.decide(name, x64) == enosys, "\(name)")
        }
        for number: UInt32 in [424, 500, 548, 575, 576, 5000, 0x3fff_ffff] {
            #expect(machine.decide(.init(number: number, audit: x64.audit)) == enosys, "\(number)")
        }
        #expect(machine.decide(.init(number: 400, audit: x64.audit)) == eperm)
        let killing = try compiled([], default: .killProcess)
        #expect(killing.decide("clone3", x64) == kill)
    }

    @Test func firstRuleThatHoldsDecides() throws {
        let machine = try compiled(
            [
                .init(["socket"], .errno(EACCES), [.init(0, .equal, 17)]),
                .init(["socket"], .errno(EAFNOSUPPORT), [.init(0, .greater, 10)]),
                .init(["socket"], .allow), .init(["socket"], .killProcess),
                .init(["kill"], .errno(EPERM)), .init(["@signal", "@process"], .allow),
            ], default: .errno(EPERM))
        #expect(machine.decide("socket", x64, 17) == SeccompFilter.Action.errno(EACCES).code)
        #expect(machine.decide("socket", x64, 16) == SeccompFilter.Action.errno(EAFNOSUPPORT).code)
        #expect(machine.decide("socket", x64, 2) == allow)
        #expect(machine.decide("kill", x64) == eperm)
        #expect(machine.decide("tgkill", x64) == allow)
    }

    @Test("S26: new mount calls and clone3 answer ENOSYS when their group is denied with EPERM")
    func deniedGroupsLetProgramsFallBack() throws {
        let machine = try compiled([.init(["@mount", "@process"], .errno(EPERM))])
        for architecture in [x64, x86, x32] {
            for name in [
                "clone3", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
                "open_tree_attr",
            ] {
                #expect(machine.decide(name, architecture) == enosys, "\(name) on \(architecture.name)")
            }
            #expect(machine.decide("mount", architecture) == eperm)
        }
        let named = try compiled([.init(["clone3"], .errno(EPERM))])
        #expect(named.decide("clone3", x64) == eperm)
        let other = try compiled([.init(["@mount"], .errno(EACCES))])
        #expect(other.decide("fsopen", x64) == SeccompFilter.Action.errno(EACCES).code)
    }

    @Test("S23, S24, S25: TIOCSTI and TIOCLINUX, upper bits set or not", arguments: [0x5412, 0x541c] as [UInt64])
    func terminalInjection(request: UInt64) throws {
        let machine = try compiled(SeccompFilter.terminalInjectionRules)
        for architecture in [x64, x86, x32] {
            #expect(machine.decide("ioctl", architecture, 0, request) == eperm)
            #expect(machine.decide("ioctl", architecture, 0, request | 1 << 32) == eperm)
            #expect(machine.decide("ioctl", architecture, 0, request | 0xffff_ffff << 32) == eperm)
            #expect(machine.decide("ioctl", architecture, 0, 0x5413) == allow)
        }
        let open = try compiled([], default: .allow)
        #expect(open.decide("ioctl", x64, 0, request) == allow, "without the rules the request passes")
    }

    @Test("S21: no user namespace by any call of any convention")
    func userNamespaces() throws {
        let machine = try compiled(SeccompFilter.noUserNamespacesRules + [.init(["@system-service"], .allow)])
        let new: UInt64 = 0x1000_0000
        for architecture in [x64, x86, x32] {
            for flags in [new, new | 0x11, new | 0x2002_0000, new | 1 << 40] {
                #expect(machine.decide("clone", architecture, flags) == eperm)
                #expect(machine.decide("unshare", architecture, flags) == eperm)
                #expect(machine.decide("setns", architecture, 3, flags) == eperm)
            }
            #expect(machine.decide("setns", architecture, 3, 0) == eperm)
            #expect(machine.decide("setns", architecture, 3, 0x4000_0000) == allow)
            #expect(machine.decide("clone", architecture, 0x11) == allow)
            #expect(machine.decide("unshare", architecture, 0x2_0000) == allow)
            for name in ["clone3", "fsopen", "fsconfig"] { #expect(machine.decide(name, architecture) == enosys) }
        }
    }

    @Test("what cannot be saved is refused as by a kernel without it; the rest of those calls is not")
    func checkpoint() throws {
        let machine = try compiled(SeccompFilter.checkpointRules)
        for architecture in [x64, x86, x32] {
            for name in ["io_uring_setup", "memfd_secret", "userfaultfd", "perf_event_open", "mq_open", "clone3"] {
                #expect(machine.decide(name, architecture) == enosys, "\(name) on \(architecture.name)")
            }
            for flag: UInt64 in [0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000] {
                #expect(machine.decide("unshare", architecture, flag | 0x2_0000) == eperm)
                #expect(machine.decide("clone", architecture, flag | 0x11) == eperm)
            }
            // A mount and a network namespace; and a signal for the parent that is CLONE_NEWTIME's bit.
            #expect(machine.decide("unshare", architecture, 0x4002_0000) == allow)
            #expect(machine.decide("unshare", architecture, 0x80) == eperm)
            #expect(machine.decide("clone", architecture, 0x80 | 0x11) == allow)
            #expect(machine.decide("socket", architecture, 2, 1, 6) == allow)
        }
        for architecture in [x64, x32] {
            #expect(machine.decide("socket", architecture, 40, 1, 0) == SeccompFilter.Action.errno(EAFNOSUPPORT).code)
            #expect(
                machine.decide("socket", architecture, 2, 1, 262) == SeccompFilter.Action.errno(EPROTONOSUPPORT).code)
        }
    }

    @Test("a denial that is advice does not close calls whose arguments cannot be seen")
    func advice() throws {
        let condition = SeccompFilter.Condition(0, .equal, 40)
        for isAdvice in [true, false] {
            let machine = try compiled([.init(["socket"], .errno(EPERM), [condition], isAdvice: isAdvice)])
            #expect(machine.decide("socket", x86, 2) == (isAdvice ? allow : eperm))
            #expect(machine.decide("socketcall", x86, 1) == (isAdvice ? allow : eperm))
            #expect(machine.decide("socket", x64, 40) == eperm)
        }
    }

    @Test func comparisons() throws {
        let size: UInt64 = 1 << 33
        typealias Case = (SeccompFilter.Condition, yes: [UInt64], no: [UInt64])
        let cases: [Case] = [
            (.init(1, .equal, size), [size], [0, size + 1, 1]),
            (.init(1, .notEqual, size), [0, size + 1], [size]),
            (.init(1, .less, size), [0, size - 1], [size, size + 1, .max]),
            (.init(1, .lessOrEqual, size), [0, size], [size + 1, .max]),
            (.init(1, .greater, size), [size + 1, .max], [0, size]),
            (.init(1, .greaterOrEqual, size), [size, .max], [0, size - 1]),
            (.init(1, .maskedEqual, 0x10, mask: 0xf0), [0x1f, 0xf10 | size], [0, 0x20]),
        ]
        for (condition, yes, no) in cases {
            let machine = try compiled([.init(["munmap"], .errno(EPERM), [condition])])
            for value in yes { #expect(machine.decide("munmap", x64, 0, value) == eperm, "\(condition) \(value)") }
            for value in no { #expect(machine.decide("munmap", x64, 0, value) == allow, "\(condition) \(value)") }
        }
        let both = try compiled([.init(["munmap"], .errno(EPERM), [.init(0, .equal, 1), .init(1, .equal, 2)])])
        #expect(both.decide("munmap", x64, 1, 2) == eperm)
        #expect(both.decide("munmap", x64, 1, 3) == allow)
        #expect(both.decide("munmap", x64, 2, 2) == allow)
    }

    @Test("an int argument is compared as the kernel reads it, whatever the upper half holds")
    func narrowArguments() throws {
        let high: UInt64 = 1 << 32
        let allowing = try compiled(
            [.init(["socket"], .allow, [.init(0, .notEqual, 16)])], default: .errno(EPERM))
        #expect(allowing.decide("socket", x64, 2) == allow)
        #expect(allowing.decide("socket", x64, 16) == eperm)
        #expect(allowing.decide("socket", x64, 16 | high) != allow)
        let denying = try compiled([.init(["socket"], .errno(EPERM), [.init(0, .less, 17)])])
        #expect(denying.decide("socket", x64, 16 | high) == eperm)
        let one = try compiled([.init(["socket"], .allow, [.init(0, .equal, 1)])], default: .errno(EPERM))
        #expect(one.decide("socket", x64, 1 | high) == allow)
        #expect(one.decide("socket", x64, 2) == eperm)
    }

    @Test func wideValuesOnNarrowConventions() throws {
        let size: UInt64 = 1 << 33
        let equal = try compiled([.init(["munmap"], .errno(EPERM), [.init(1, .equal, size)])])
        #expect(equal.decide("munmap", x86, 0, 0) == allow)
        let less = try compiled([.init(["munmap"], .errno(EPERM), [.init(1, .less, size)])])
        #expect(less.decide("munmap", x86, 0, 0) == eperm)
        let greater = try compiled([.init(["munmap"], .errno(EPERM), [.init(1, .greaterOrEqual, size)])])
        #expect(greater.decide("munmap", x86, 0, 0) == allow)
        let masked = try compiled([.init(["munmap"], .errno(EPERM), [.init(1, .maskedEqual, 0, mask: size)])])
        #expect(masked.decide("munmap", x86, 0, 7) == eperm)
    }

    @Test("i386's socketcall and ipc are filtered by operation")
    func multiplexedCalls() throws {
        let machine = try compiled([.init(["connect", "shmget"], .errno(EPERM))])
        #expect(machine.decide("connect", x86) == eperm)
        #expect(machine.decide("shmget", x86) == eperm)
        #expect(machine.decide("socketcall", x86, 3) == eperm)
        #expect(machine.decide("socketcall", x86, 2) == allow)
        #expect(machine.decide("ipc", x86, 23) == eperm)
        #expect(machine.decide("ipc", x86, 23 | 1 << 16) == eperm, "the version does not hide the operation")
        #expect(machine.decide("ipc", x86, 24) == allow)
        let denied = try compiled([.init(["socket"], .errno(EPERM), [.init(0, .equal, 16)])])
        #expect(denied.decide("socketcall", x86, 1) == eperm, "the family cannot be seen there")
        let permitted = try compiled(
            [.init(["socket"], .allow, [.init(0, .equal, 1)])], default: .errno(EPERM))
        #expect(permitted.decide("socketcall", x86, 1) == eperm)
        #expect(permitted.decide("socket", x64, 1) == allow)
    }

    @Test("calls newer than the library are filtered on every convention")
    func recentCalls() throws {
        let calls = ["cachestat", "fchmodat2", "statmount", "listmount", "mseal", "file_getattr", "listns"]
        let machine = try compiled([.init(calls, .errno(EPERM))])
        for architecture in [x64, x86, x32] {
            for name in calls + ["landlock_create_ruleset"] {
                let expected = name.hasPrefix("landlock") ? allow : eperm
                #expect(machine.decide(name, architecture) == expected, "\(name) on \(architecture.name)")
            }
        }
        #expect(machine.decide(.init(number: 457, audit: x64.audit)) == eperm)
        #expect(machine.decide(.init(number: 457 | 0x4000_0000, audit: x64.audit)) == eperm)
        #expect(machine.decide(.init(number: 457, audit: x86.audit)) == eperm)
    }

    @Test func errorsNameTheNearest() {
        func error(_ rule: SeccompFilter.Rule) -> SeccompError? {
            do throws(SeccompError) {
                _ = try SeccompFilter(rules: [rule]).compile()
                return nil
            } catch { return error }
        }
        #expect(error(.init(["moutn"], .allow)) == .unknownCall("moutn", nearest: "mount"))
        #expect(error(.init(["@netwrk-io"], .allow)) == .unknownGroup("@netwrk-io", nearest: "@network-io"))
        #expect(error(.init(["xyzzyplugh"], .allow)) == .unknownCall("xyzzyplugh", nearest: nil))
        #expect(error(.init([""], .allow)) == .unknownCall("", nearest: nil))
        #expect(error(.init(["read"], .errno(0))) == .errorNumber(0))
        #expect(error(.init(["read"], .errno(70000))) == .errorNumber(70000))
        #expect(error(.init(["read"], .allow, [.init(6, .equal, 0)]))?.message.contains("numbered 0 to 5") == true)
        #expect(
            error(.init(["read"], .allow, [.init(1, .equal, 0), .init(1, .equal, 2)]))?.message.contains("twice")
                == true)
        #expect(error(.init(["read"], .allow, [.init(1, .maskedEqual, 3, mask: 1)]))?.message.contains("mask") == true)
        #expect(throws: SeccompError.unknownArchitecture("vax")) {
            try SeccompFilter(architectures: ["vax"]).compile()
        }
    }

    @Test func everyGroupMemberIsKnownSomewhere() {
        var names: Set<String> = []
        for group in SyscallGroup.all {
            var isEmpty = true
            group.forEachMember { pointer in
                isEmpty = false
                let name = String(cString: pointer)
                if name.hasPrefix("@") {
                    #expect(SyscallGroup.named(name) != nil, "\(name) in \(group.name)")
                } else {
                    names.insert(name)
                }
            }
            #expect(!isEmpty)
        }
        #expect(names.count > 400)
        for name in ["read", "clone3", "socketcall", "landlock_restrict_self"] { #expect(names.contains(name)) }
    }

    @Test("decisions equal those of libseccomp alone, number by number", arguments: [false, true])
    func agreesWithTheLibrary(allowList: Bool) throws {
        let names = allowList ? ["@system-service"] : ["@mount", "@module", "@debug", "@clock", "@swap", "@keyring"]
        let action: SeccompFilter.Action = allowList ? .allow : .errno(EACCES)
        let other: SeccompFilter.Action = allowList ? .errno(EACCES) : .allow
        let ours = FilterMachine(
            try SeccompFilter(defaultAction: other, rules: [.init(names, action)]).compile())
        let reference = try Reference(names, action.code, other: other.code)
        for architecture in [x64, x86, x32] {
            for number in UInt32(0)..<450 where !reference.differs(number, architecture) {
                let call = FilterMachine.Call(
                    number: number | architecture.numberBit, audit: architecture.audit)
                #expect(
                    ours.decide(call) == reference.machine.decide(call), "\(architecture.name) \(number)")
            }
        }
    }
}

/// The same rules given to libseccomp alone, all architectures in one filter.
private struct Reference {
    let machine: FilterMachine

    init(_ groups: [String], _ action: UInt32, other: UInt32) throws {
        let filter = try #require(seccomp_init(other))
        defer { seccomp_release(filter) }
        for architecture in [x86, x32] { #expect(seccomp_arch_add(filter, architecture.token) == 0) }
        for name in groups { Self.add(name, action, to: filter) }
        let file = memfd_create("reference", 0)
        defer { close(file) }
        #expect(seccomp_export_bpf(filter, file) == 0)
        var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
        #expect(pread(file, &bytes, bytes.count, 0) == bytes.count)
        machine = FilterMachine(bytes: bytes)
    }

    private static func add(_ group: String, _ action: UInt32, to filter: scmp_filter_ctx) {
        SyscallGroup.named(group)?.forEachMember { name in
            let text = String(cString: name)
            if text.hasPrefix("@") {
                add(text, action, to: filter)
            } else {
                let number = seccomp_syscall_resolve_name(name)
                if number != -1 { _ = seccomp_rule_add_array(filter, action, number, 0, nil) }
            }
        }
    }

    /// socketcall(2) and ipc(2), which libseccomp decides by operation even where all operations are alike, and
    /// uretprobe(2) and uprobe(2), which it may not know.
    func differs(_ number: UInt32, _ architecture: SeccompArchitecture) -> Bool {
        architecture == x86 ? number == 102 || number == 117 : number == 335 || number == 336
    }
}
