import Kernel
import Profile
import Testing

@testable import Launch

@Suite("Boxes whose interface is held by their own end of it")
struct HiddenFramesTests {
    /// Whether frames of sockets that nothing would see are refused to a box.
    private func areRefused(_ change: (inout Profile) -> Void) throws(LaunchError) -> Bool {
        var host = rootHost()
        host.sharesDevice = { name throws(LaunchError) in name == "wire" }
        var profile = Profile()
        profile.namespaces.unshare = [.net]
        profile.security.capabilities.keep = ["NET_RAW"]
        profile.network.interface.switchName = "wire"
        change(&profile)
        let plan = try Planner(host: host).plan(profile, command: ["true"])
        let calls = try SystemCallFilter(plan).filter()?.rules.flatMap { $0.calls } ?? []
        return calls.contains("io_uring_setup") && calls.contains("socket")
    }

    @Test("who can send whole frames, and not administer the network") func refused() throws {
        #expect(try areRefused { _ in })
        #expect(try areRefused { $0.network.interface.attach = .macvlan })
        #expect(try areRefused { $0.security.capabilities.keep = ["cap_net_raw", "SYS_ADMIN"] })
        #expect(
            try areRefused {
                $0.network.interface.spoofing = .allow
                $0.network.interface.rate.egress = 1_000_000
            })
        #expect(
            try areRefused {
                $0.network.more = [$0.network.interface]
                $0.network.interface.switchName = "lab"
            })
    }

    @Test("a user other than root has what is named alone") func user() throws {
        func change(_ user: String, _ ambient: [String]) -> (inout Profile) -> Void {
            { profile in
                profile.process.user = user
                (profile.security.capabilities.keep, profile.security.capabilities.ambient) = (nil, ambient)
            }
        }
        for user in ["nobody", "65534"] {
            #expect(try areRefused(change(user, ["NET_RAW"])))
            #expect(try !areRefused(change(user, [])))
            #expect(try !areRefused(change(user, ["NET_RAW", "NET_ADMIN"])))
        }
        for user in ["root", "0", "00"] { #expect(try !areRefused(change(user, ["NET_RAW"]))) }
    }

    @Test("nobody else") func allowed() throws {
        #expect(try !areRefused { $0.security.capabilities.keep = [] })
        #expect(try !areRefused { $0.security.capabilities.keep = nil })
        #expect(try !areRefused { $0.security.capabilities.keep = ["NET_RAW", "NET_ADMIN"] })
        #expect(try !areRefused { $0.network.interface.spoofing = .allow })
        #expect(try !areRefused { $0.network.interface.switchName = "lab" })
    }

    @Test("a box that can get no filter is refused") func unfiltered() {
        #expect(throws: LaunchError.self) { try areRefused { $0.process.noNewPrivileges = false } }
        #expect(throws: Never.self) {
            try areRefused {
                $0.process.noNewPrivileges = false
                $0.security.capabilities.keep = ["NET_RAW", "SYS_ADMIN"]
            }
        }
    }
}
