import Addresses
import Glibc
import Kernel
import Testing

@testable import Netlink

@Suite(.enabled(if: isRoot, needsRoot))
struct BridgeTests {
    private func bridge(_ socket: borrowing NetlinkSocket, _ options: BridgeOptions = BridgeOptions()) throws -> Int32 {
        try socket.create(LinkSpec(LinkOptions("br0", isUp: true), .bridge(options))).index
    }

    @Test func settingsAreReadBack() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            var options = BridgeOptions()
            options.multicastSnooping = true
            options.multicastQuerier = true
            options.ageing = 12_300
            options.forwardDelay = 0
            options.filterCalls = false
            let index = try bridge(socket, options)
            let made = try #require(try socket.link(.index(index))?.bridge)
            #expect(made.multicastSnooping == true && made.multicastQuerier == true && made.ageing == 12_300)
            #expect(made.spanningTree == false)
            var change = BridgeOptions()
            change.multicastQuerier = false
            change.ageing = 45_600
            try socket.send(.change(.index(index), LinkChange(bridge: change)))
            let changed = try #require(try socket.link("br0")?.bridge)
            #expect(changed.multicastQuerier == false && changed.ageing == 45_600)
        }
    }

    @Test func portSettingsAreReadBack() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let index = try bridge(socket)
            let other = try Station.join("other", "10.1.0.9/24", on: socket, bridge: index)
            let backup = try #require(try socket.link("other")).index
            let port = BridgePortOptions(
                isolated: true, locked: true, learning: false, unicastFlood: false, multicastFlood: false,
                broadcastFlood: false, neighbourSuppression: true, proxyARP: true, hairpin: true, backupPort: backup)
            let station = try Station.join("p1", "10.1.0.2/24", on: socket, bridge: index, port: port)
            let made = try #require(try socket.link("p1")?.port)
            #expect(made.isolated == true && made.locked == true && made.learning == false)
            #expect(made.unicastFlood == false && made.multicastFlood == false && made.broadcastFlood == false)
            #expect(made.neighbourSuppression == true && made.proxyARP == true && made.hairpin == true)
            #expect(made.backupPort == backup)
            #expect(made.guardsTree == false && made.state == .forwarding)
            let plain = try #require(try socket.link("other")?.port)
            #expect(plain.isolated == false && plain.locked == false && plain.learning == true)
            _ = consume other
            _ = consume station
        }
    }

    @Test func isolatedPortsReachOnlyTheOthers() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let index = try bridge(socket)
            let alone = BridgePortOptions(isolated: true)
            let a = try Station.join("a", "10.1.0.2/24", on: socket, bridge: index, port: alone)
            let b = try Station.join("b", "10.1.0.3/24", on: socket, bridge: index, port: alone)
            let c = try Station.join("c", "10.1.0.4/24", on: socket, bridge: index)
            #expect(try !a.reaches(b, tries: 3))
            #expect(try a.reaches(c))
            #expect(try c.reaches(b))
            try socket.send(.change("a", LinkChange(port: BridgePortOptions(isolated: false))))
            #expect(try a.reaches(b))
        }
    }

    @Test func lockedPortKnowsOnlyTheEntrysAddress() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let index = try bridge(socket)
            let mac = MACAddress(derivedFrom: "a")
            let locked = BridgePortOptions(locked: true, learning: false)
            let a = try Station.join("a", "10.1.0.2/24", on: socket, bridge: index, mac: mac, port: locked)
            let b = try Station.join("b", "10.1.0.3/24", on: socket, bridge: index)
            #expect(try !a.reaches(b, tries: 3))
            let port = try #require(try socket.link("a")).index
            let entry = ForwardingEntry(mac, port: port)
            try socket.send(.replace(entry))
            #expect(try a.reaches(b))
            let found = try socket.forwardingEntries(of: index).filter { $0.mac == mac && $0.vlan == 0 }
            #expect(found.count == 1 && found[0].origin == .fixed && found[0].link == port)
            #expect(found[0].bridge == index)
            // Somebody else's address.
            try a.socket.send(.change("eth0", LinkChange(address: MACAddress(derivedFrom: "somebody else"))))
            #expect(try !a.reaches(b, tries: 3))
            try socket.send(.delete(entry))
            #expect(try !socket.forwardingEntries(of: index).contains { $0.mac == mac && $0.vlan == 0 })
            #expect(#expect(throws: SystemError.self) { try socket.send(.delete(entry)) }?.code == ENOENT)
        }
    }

    @Test func whatIsSetDoesNotMoveWithAFrameFromElsewhere() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let index = try bridge(socket)
            let mac = MACAddress(derivedFrom: "a")
            let a = try Station.join("a", "10.1.0.2/24", on: socket, bridge: index, mac: mac)
            let b = try Station.join("b", "10.1.0.3/24", on: socket, bridge: index)
            let thief = try Station.join("c", "10.1.0.4/24", on: socket, bridge: index)
            let port = try #require(try socket.link("a")).index
            func place() throws -> Int32? {
                try socket.forwardingEntries(of: index).first { $0.mac == mac && $0.vlan == 0 }?.link
            }
            try socket.send(.replace(ForwardingEntry(mac, port: port)))
            try thief.socket.send(.change("eth0", LinkChange(address: mac)))
            _ = try thief.reaches(b, tries: 2)
            #expect(try place() == port)
            #expect(try a.reaches(b))
            // Control: what was learned does.
            try socket.send(.delete(ForwardingEntry(mac, port: port)))
            #expect(try a.reaches(b))
            #expect(try place() == port)
            #expect(try thief.reaches(b))
            #expect(try place() == (try #require(try socket.link("c")).index))
        }
    }

    @Test func nothingIsFloodedWhereAllIsKnown() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let index = try bridge(socket)
            let quiet = BridgePortOptions(
                learning: false, unicastFlood: false, multicastFlood: false, broadcastFlood: false)
            let (macA, macB) = (MACAddress(derivedFrom: "a"), MACAddress(derivedFrom: "b"))
            let a = try Station.join("a", "10.1.0.2/24", on: socket, bridge: index, mac: macA, port: quiet)
            let b = try Station.join("b", "10.1.0.3/24", on: socket, bridge: index, mac: macB, port: quiet)
            #expect(try !a.reaches(b, tries: 2))
            for (station, mac) in [("a", macA), ("b", macB)] {
                let port = try #require(try socket.link(.name(station))).index
                try socket.send(.replace(ForwardingEntry(mac, port: port)))
            }
            let (linkA, linkB) = (try #require(try a.socket.link("eth0")), try #require(try b.socket.link("eth0")))
            let neighbour = Neighbour(b.address, macB, link: linkA.index)
            try a.socket.send(.replace(neighbour))
            try b.socket.send(.replace(Neighbour(a.address, macA, link: linkB.index)))
            #expect(try a.socket.neighbours(of: linkA.index).contains(neighbour))
            #expect(try a.reaches(b))
            #expect(try b.reaches(a))
            try a.socket.send(.delete(neighbour))
            #expect(try !a.socket.neighbours(of: linkA.index).contains(neighbour))
        }
    }

    @Test func vlansOnPortsWhereTheKernelHasThem() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let hasVLANs = try KernelFeature.probe([.vlanFiltering])[0].failure == nil
            var options = BridgeOptions()
            options.vlanFiltering = true
            options.defaultVLAN = 0
            if !hasVLANs {
                let refused = #expect(throws: SystemError.self) { _ = try bridge(socket, options) }
                #expect(refused?.code == EOPNOTSUPP)
                options = BridgeOptions()
            }
            _ = try bridge(socket, options)
            let index = try #require(try socket.link("br0")).index
            let station = try Station.join("a", "10.1.0.2/24", on: socket, bridge: index)
            let port = try #require(try socket.link("a")).index
            let vlans = [PortVLAN.access(10), .trunk(20...29)]
            if hasVLANs {
                try socket.send(.add(vlans, toPort: port))
                #expect(try socket.vlans(ofPort: port) == vlans)
                try socket.send(.delete([.trunk(20...29)], fromPort: port))
                #expect(try socket.vlans(ofPort: port) == [.access(10)])
            } else {
                let refused = #expect(throws: SystemError.self) { try socket.send(.add(vlans, toPort: port)) }
                #expect(refused?.code == EOPNOTSUPP)
                #expect(try socket.vlans(ofPort: port).isEmpty)
            }
            _ = consume station
        }
    }
}
