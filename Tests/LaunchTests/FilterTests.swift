import Glibc
import Kernel
import Profile
import Testing

@testable import Launch

@Suite("System call filter of a plan")
struct FilterTests {
    private func filter(
        terminal: Bool = false, _ change: @escaping (inout Profile.Security) -> Void = { _ in }
    ) throws(LaunchError) -> SeccompFilter? {
        try SystemCallFilter(plan(rootHost(terminal: terminal)) { change(&$0.security) }).filter()
    }

    private func seccomp(_ change: (inout Profile.Seccomp) -> Void) -> Profile.Seccomp {
        var seccomp = Profile.Seccomp()
        change(&seccomp)
        return seccomp
    }

    @Test("none when nothing is refused") func none() throws {
        #expect(try filter() == nil)
        #expect(try filter { $0.seccomp = Profile.Seccomp() } == nil)
        #expect(try filter { $0.userNamespaces = .allow } == nil)
    }

    @Test("protections come before all that a profile allows") func order() throws {
        let wanted = seccomp {
            $0.rules = [.init(calls: ["ioctl"], action: .allow)]
            $0.deny = ["@mount"]
            $0.allow = ["umount2"]
        }
        let filter = try #require(
            try filter(terminal: true) {
                $0.userNamespaces = .deny
                $0.seccomp = wanted
            })
        let own = SeccompFilter.terminalInjectionRules + SeccompFilter.noUserNamespacesRules
        #expect(!own.isEmpty)
        #expect(
            filter.rules == own + [
                .init(["ioctl"], .allow), .init(["@mount"], .errno(EPERM)), .init(["umount2"], .allow),
            ])
        #expect(filter.defaultAction == .allow)
    }

    @Test("an allow-list refuses the rest by its action") func allowList() throws {
        for (action, wanted) in [
            (Profile.SeccompAction.kill, SeccompFilter.Action.killProcess), (.trap, .trap), (.log, .log),
            (.errno("ENOSYS"), .errno(ENOSYS)), (.errno("13"), .errno(13)),
        ] {
            let filter = try filter {
                $0.seccomp = seccomp {
                    $0.default = .deny
                    $0.allow = ["read"]
                    $0.action = action
                }
            }
            #expect(filter?.defaultAction == wanted)
            #expect(filter?.rules == [.init(["read"], .allow)])
        }
    }

    @Test("a denial that allows is refused, in either mode") func allowAction() {
        for mode in [Profile.Seccomp.Default.deny, .allow] {
            let error = #expect(throws: LaunchError.self) {
                try filter {
                    $0.seccomp = seccomp {
                        $0.default = mode
                        $0.deny = ["mount"]
                        $0.action = .allow
                    }
                }
            }
            #expect(error?.key == "security.seccomp.action")
        }
    }

    @Test("an unknown errno names its key") func errnoName() {
        let first = #expect(throws: LaunchError.self) {
            try filter { $0.seccomp = seccomp { $0.action = .errno("ENOPE") } }
        }
        #expect(first?.key == "security.seccomp.action")
        let second = #expect(throws: LaunchError.self) {
            try filter {
                $0.seccomp = seccomp {
                    $0.rules = [
                        .init(calls: ["a"], action: .kill), .init(calls: ["b"], action: .errno("")),
                    ]
                }
            }
        }
        #expect(second?.key == "security.seccomp.rules[1].action")
    }

    @Test("an errno that is no error is refused when the filter is compiled") func zero() throws {
        let launch = try plan {
            $0.security.seccomp = seccomp {
                $0.deny = ["mount"]
                $0.action = .errno("0")
            }
        }
        #expect(throws: LaunchError.self) { try Confinement(launch).compileFilter() }
    }

    @Test("conditions and architectures") func conditions() throws {
        let comparisons = Profile.SeccompCondition.Comparison.allCases
        let wanted = seccomp {
            $0.architectures = ["native"]
            $0.rules = [
                .init(
                    calls: ["socket"], action: .errno("EACCES"),
                    conditions: comparisons.map {
                        .init(argument: 2, comparison: $0, value: 7, mask: $0 == .maskedEqual ? 15 : nil)
                    })
            ]
        }
        let filter = try #require(try filter { $0.seccomp = wanted })
        #expect(filter.architectures == ["native"])
        #expect(
            filter.rules == [
                .init(
                    ["socket"], .errno(EACCES),
                    [
                        .init(2, .equal, 7), .init(2, .notEqual, 7), .init(2, .less, 7), .init(2, .lessOrEqual, 7),
                        .init(2, .greater, 7), .init(2, .greaterOrEqual, 7), .init(2, .maskedEqual, 7, mask: 15),
                    ])
            ])
    }
}
