import Kernel
import Profile
import Testing

@testable import Launch

@Suite("Namespaces of a plan")
struct NamespaceTests {
    @Test("none is implied for root") func rootGetsWhatItAskedFor() throws {
        for kind in NamespaceKind.allCases {
            let namespaces = try plan { $0.namespaces.unshare = [kind] }.namespaces
            #expect(namespaces.unshare == [kind])
            #expect(!namespaces.impliesUser)
        }
        #expect(try plan().namespaces.unshare.isEmpty)
    }

    @Test("without root a user namespace is implied, and said to be") func implied() throws {
        let namespaces = try plan(host()) { $0.namespaces.unshare = [.net] }.namespaces
        #expect(namespaces.unshare == [.net, .user])
        #expect(namespaces.impliesUser)
        let asked = try plan(host()) { $0.namespaces.unshare = [.net, .user] }.namespaces
        #expect(asked.unshare == [.net, .user])
        #expect(!asked.impliesUser)
    }

    @Test("nothing unshared, or a user namespace joined: none is implied") func notImplied() throws {
        #expect(try plan(host()).namespaces.unshare.isEmpty)
        let joined = try plan(host()) {
            $0.namespaces.unshare = [.net]
            $0.namespaces.join = [.user: .path("/proc/7/ns/user")]
        }.namespaces
        #expect(joined.unshare == [.net])
        #expect(!joined.impliesUser)
    }

    @Test("joins go by path or by a running sandbox's name, in one order") func joins() throws {
        let facts = host(uid: 0, privileged: true, home: "/root", sandboxes: ["web": "/proc/42/ns"])
        let namespaces = try plan(facts) {
            $0.namespaces.join = [
                .net: .path("/run/netns/blue"), .mount: .sandbox("web"), .ipc: .path("~/ns/ipc"),
            ]
        }.namespaces
        #expect(
            namespaces.join == [
                .init(kind: .ipc, path: "/root/ns/ipc"), .init(kind: .mount, path: "/proc/42/ns/mnt"),
                .init(kind: .net, path: "/run/netns/blue"),
            ])
    }

    @Test("a sandbox that does not run cannot be joined") func unknownSandbox() {
        let error = refusal { $0.namespaces.join = [.net: .sandbox("gone")] }
        #expect(error == LaunchError(key: "namespaces.join.net", "no sandbox \"gone\" is running"))
        #expect(refusal { $0.namespaces.join = [.net: .path("netns/blue")] }?.key == "namespaces.join.net")
    }

    @Test("every kind has a flag of its own") func flags() {
        var seen: NamespaceFlags = []
        for kind in NamespaceKind.allCases {
            let flag = NamespaceFlags([kind])
            #expect(!flag.isEmpty)
            #expect(seen.isDisjoint(with: flag))
            seen.formUnion(flag)
        }
        #expect(seen == NamespaceFlags(NamespaceSet(NamespaceKind.allCases)))
        #expect(NamespaceFlags([.mount, .net]) == [.mount, .net])
        #expect(NamespaceFlags([]).isEmpty)
    }

    @Test("clock offsets pass into the plan") func offsets() throws {
        let namespaces = try plan {
            $0.namespaces.unshare = [.time]
            $0.namespaces.monotonicOffset = -5
            $0.namespaces.boottimeOffset = 7
        }.namespaces
        #expect(namespaces.monotonicOffset == -5)
        #expect(namespaces.boottimeOffset == 7)
    }
}

@Suite("Id maps of a plan")
struct IDMapTests {
    private let range = Profile.IDRange(inside: 0, outside: 100_000, count: 65536)

    private func maps(
        _ host: HostFacts, _ change: @escaping (inout Profile.Security) -> Void = { _ in }
    ) throws(LaunchError) -> NamespacePlan {
        try plan(host) {
            $0.namespaces.unshare = [.user]
            change(&$0.security)
        }.namespaces
    }

    @Test("one's own id maps to itself, written by the process") func own() throws {
        let namespaces = try maps(host())
        #expect(namespaces.uidMap == [.init(inside: 1000, outside: 1000, count: 1)])
        #expect(namespaces.gidMap == [.init(inside: 1000, outside: 1000, count: 1)])
        #expect(namespaces.mapWriter == .own)
        #expect(try maps(rootHost()).mapWriter == .own)
    }

    @Test("auto without root: one's own id as 0, the range of subuid(5) above it") func autoUser() throws {
        let namespaces = try maps(host(subordinate: [range])) { $0.uidMap = .auto }
        let wanted: [Profile.IDRange] = [
            .init(inside: 0, outside: 1000, count: 1), .init(inside: 1, outside: 100_000, count: 65536),
        ]
        #expect(namespaces.uidMap == wanted)
        #expect(namespaces.gidMap == wanted)
        #expect(namespaces.mapWriter == .setuidHelpers)
    }

    @Test("auto as root: the private range alone") func autoRoot() throws {
        let facts = host(uid: 0, privileged: true, home: "/root", subordinate: [range])
        let namespaces = try maps(facts) { $0.uidMap = .auto }
        #expect(namespaces.uidMap == [range])
        #expect(namespaces.gidMap == [range])
        #expect(namespaces.mapWriter == .privileged)
    }

    @Test("auto without a range names the file and the mend") func autoWithout() {
        let error = refusal(host()) {
            $0.namespaces.unshare = [.user]
            $0.security.uidMap = .auto
        }
        #expect(error?.key == "security.uid-map")
        #expect(error?.message.contains("/etc/subuid") == true)
        let group = refusal(host()) {
            $0.namespaces.unshare = [.user]
            $0.security.gidMap = .auto
        }
        #expect(group?.key == "security.gid-map")
        #expect(group?.message.contains("/etc/subgid") == true)
        #expect(group?.message.contains("--add-subgids") == true)
    }

    @Test("explicit triples: groups follow users unless said") func explicit() throws {
        let other = Profile.IDRange(inside: 5, outside: 1000, count: 1)
        let same = try maps(rootHost()) { $0.uidMap = .explicit([range]) }
        #expect(same.uidMap == [range])
        #expect(same.gidMap == [range])
        #expect(same.mapWriter == .privileged)
        let own = try maps(host()) { $0.uidMap = .explicit([other]) }
        #expect(own.mapWriter == .own)
        let mixed = try maps(host()) {
            $0.uidMap = .explicit([other])
            $0.gidMap = .explicit([.init(inside: 0, outside: 1, count: 1)])
        }
        #expect(mixed.gidMap == [.init(inside: 0, outside: 1, count: 1)])
        #expect(mixed.mapWriter == .setuidHelpers)
    }

    @Test("without a user namespace there are no maps, and asking for one is an error") func withoutNamespace() throws {
        let namespaces = try plan { $0.namespaces.unshare = [.mount] }.namespaces
        #expect(namespaces.uidMap.isEmpty)
        #expect(namespaces.gidMap.isEmpty)
        #expect(refusal { $0.security.uidMap = .auto }?.key == "security.uid-map")
        #expect(refusal { $0.security.gidMap = .explicit([range]) }?.key == "security.gid-map")
    }

    @Test("a map of no ids") func empty() {
        let error = refusal {
            $0.namespaces.unshare = [.user]
            $0.security.uidMap = .explicit([])
        }
        #expect(error?.key == "security.uid-map")
    }
}
