import Profile
import Testing

@testable import Launch

@Suite("Message buses")
struct BusPlanTests {
    private static let environment = [
        "XDG_RUNTIME_DIR=/run/user/0", "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus,guid=ab",
        "DBUS_STARTER_ADDRESS=x",
        "A=b",
    ]

    private func planned(
        _ environment: [String] = environment, _ change: (inout Profile) -> Void = { _ in }
    ) throws(LaunchError) -> LaunchPlan {
        try plan(host(uid: 0, privileged: true, environment: environment)) {
            $0.namespaces.unshare = [.mount, .pid]
            $0.dbus.session.access = .filtered
            change(&$0)
        }
    }

    @Test("without it nothing is done, and with none the buses are out of reach") func none() throws {
        let plain = try planned { $0.dbus = Profile.DBus() }
        #expect(plain.bus == nil && plain.environment == Self.environment)
        #expect(!plain.filesystem.outline.contains { $0.contains("/run/") })
        let closed = try planned {
            $0.dbus.session.access = .closed
            $0.dbus.system.access = .closed
        }
        #expect(closed.bus == nil && closed.environment == ["XDG_RUNTIME_DIR=/run/user/0", "A=b"])
        for path in ["/run/user/0/bus", "/run/user/0/systemd", "/run/dbus/system_bus_socket", "/run/systemd/private"] {
            #expect(closed.filesystem.outline.contains("hide " + path), "\(path)")
        }
    }

    @Test("a socket of the box's own, in its /run or over the system bus's directory") func folder() throws {
        let shared = try planned()
        #expect(shared.filesystem.outline.contains("tmpfs /run/dbus 700"))
        #expect(shared.filesystem.outline.contains("hide /run/user/0/bus"))
        let own = try planned { $0.filesystem.privateAreas = [.run] }
        #expect(own.filesystem.outline.contains("directory /run/dbus 700"))
        #expect(
            shared.environment == [
                "XDG_RUNTIME_DIR=/run/user/0", "A=b", "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/dbus/session",
            ])
    }

    @Test("what enters the box later finds the bus, too") func entered() throws {
        var profile = Profile()
        profile.namespaces.unshare = [.mount, .pid]
        profile.dbus.session.access = .filtered
        var box = BoxFacts()
        box.namespaces = [.mount, .pid]
        let entered = try Planner(host: host(uid: 0, privileged: true, environment: Self.environment)).exec(
            profile, in: EntryPlan(box: box), command: ["true"], ExecOptions())
        #expect(entered.environment.contains("DBUS_SESSION_BUS_ADDRESS=unix:path=/run/dbus/session"))
        #expect(entered.bus == nil)
    }

    @Test("the proxy's words") func words() throws {
        let bus = try planned {
            $0.dbus.session.talk = ["org.a.b"]
            $0.dbus.session.call = ["org.a.c=*"]
            $0.dbus.system.access = .filtered
            $0.dbus.system.own = ["org.d.*"]
        }.bus
        #expect(
            bus?.command(line: 7, folder: 8) == [
                "xdg-dbus-proxy", "--fd=7", "unix:path=/run/user/0/bus", "/proc/self/fd/8/session", "--filter",
                "--talk=org.a.b", "--call=org.a.c=*", "unix:path=/run/dbus/system_bus_socket",
                "/proc/self/fd/8/system_bus_socket", "--filter", "--own=org.d.*",
            ])
    }

    @Test("the proxy is confined: no network, no capabilities, nobody's files, a filter") func confined() throws {
        let proxy = try #require(try planned().bus?.proxies.first)
        #expect(proxy.namespaces.unshare == [.mount, .net, .ipc, .uts] && proxy.supervision == .none)
        #expect(proxy.security.capabilities.keep == [] && proxy.security.seccomp?.deny.contains("@debug") == true)
        #expect(proxy.process.dieWithParent && proxy.environment.isEmpty)
        for step in ["read-only /", "bind /run/user/0/bus /run/user/0/bus"] {
            #expect(proxy.filesystem.outline.contains(step), "\(proxy.filesystem.outline)")
        }
        let user = try plan(host(environment: Self.environment)) {
            $0.namespaces.unshare = [.mount, .pid]
            $0.dbus.session.access = .filtered
        }
        #expect(user.bus?.proxies.first?.namespaces.unshare.contains(.user) == true)
    }

    @Test(
        "addresses of this machine are understood",
        arguments: [
            ("unix:path=/a%2cb,guid=1", BusAddress.path("/a,b")),
            ("tcp:host=x;unix:abstract=/tmp/x", .abstract("/tmp/x")),
            ("autolaunch:", nil), ("unix:path=relative", nil), ("unix:path=/a%2", nil),
        ] as [(String, BusAddress?)])
    func addresses(text: String, address: BusAddress?) {
        #expect(BusAddress(text) == address)
        if let address { #expect(BusAddress(address.text) == address) }
    }

    @Test("a bus with an abstract socket takes a network namespace, and no bus at all is an error") func refused() {
        func refused(_ environment: [String], _ change: (inout Profile) -> Void = { _ in }) -> LaunchError? {
            do throws(LaunchError) {
                _ = try planned(environment, change)
                return nil
            } catch {
                return error
            }
        }
        let abstract = ["DBUS_SESSION_BUS_ADDRESS=unix:abstract=/tmp/dbus-1"]
        #expect(refused(abstract)?.message.contains("abstract socket") == true)
        #expect(refused(abstract) { $0.namespaces.unshare.insert(.net) } == nil)
        #expect(refused([])?.message.contains("no such bus") == true)
        #expect(refused(["DBUS_SESSION_BUS_ADDRESS=autolaunch:"])?.key == "dbus.session")
    }

    @Test("somebody stays with a detached box, since the proxy ends with who started it") func stays() throws {
        var profile = Profile()
        profile.namespaces.unshare = [.mount, .pid]
        let planner = Planner(host: host(uid: 0, privileged: true, environment: Self.environment))
        #expect(try planner.plan(profile, command: ["true"], isDetached: true).detachment == .alone)
        profile.dbus.session.access = .filtered
        #expect(try planner.plan(profile, command: ["true"], isDetached: true).detachment == .waiter)
    }

    @Test("what passes is said, the services that start programs as the risk they are") func explained() {
        func said(_ change: (inout Profile.Bus) -> Void) -> [Statement] {
            var profile = Profile()
            profile.namespaces.unshare = [.mount, .pid]
            profile.dbus.session.access = .filtered
            change(&profile.dbus.session)
            return explain(profile, isRoot: false).filter { $0.subject == "dbus" }
        }
        #expect(said { _ in }.map(\.risk) == [.confined, .confined])
        #expect(said { $0.talk = ["org.freedesktop.Notifications"] }.first?.risk == .medium)
        for name in ["org.freedesktop.systemd1", "org.freedesktop.*"] {
            #expect(said { $0.talk = [name] }.first?.risk == .high, "\(name)")
        }
    }
}
