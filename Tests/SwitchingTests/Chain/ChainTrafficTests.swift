import Addresses
import Glibc
import Kernel
import Netlink
import Profile
import Testing

@testable import Switching

@Suite("Chains with traffic", .serialized, .enabled(if: isRoot, "needs root, for network namespaces"))
struct ChainTrafficTests {
    private typealias Way = InterfacePrograms.Way

    private func inLab(
        _ change: (inout SwitchSpec) -> Void = { _ in }, by way: Way = .ofKernel, _ body: (Lab) throws -> Void
    ) throws {
        let lab = try Lab(by: way, change)
        do { try body(lab) } catch {
            try lab.end()
            throw error
        }
        try lab.end()
    }

    private func flood(_ lab: Lab, _ family: IPFamily = .v4) throws -> Flood {
        try Flood(from: try lab.namespace("a"), to: try lab.namespace("b"), try lab.address("b", family))
    }

    private func reaches(
        _ lab: Lab, _ from: String, _ to: String, _ family: IPFamily = .v4, port: UInt16 = 4000, tries: Int = 20
    ) throws -> Bool {
        try arrives(
            from: try lab.namespace(from), to: try lab.namespace(to), try lab.address(to, family), port: port,
            tries: tries)
    }

    private func packets(_ lab: Lab, _ function: String, _ interface: String) throws -> UInt64 {
        try NetlinkSocket(in: try lab.namespace(function)).link(.name(interface))?.counters.receivedPackets ?? 0
    }

    @Test(
        "Nothing is lost while functions are put in, taken out, replaced and moved",
        arguments: [
            (FunctionWire.bridge, IPFamily.v4, InterfacePrograms.Way.ofKernel), (.direct, .v4, .ofKernel),
            (.bridge, .v6, .ofKernel), (.bridge, .v4, .filters), (.direct, .v6, .filters),
        ])
    func hitless(wire: FunctionWire, family: IPFamily, way: InterfacePrograms.Way) throws {
        try inLab(by: way) { lab in
            try lab.application("a")
            try lab.application("b")
            let functions = try ["f1", "f2", "f3"].map { try lab.function($0, .bridge(wire)) }
            let (f1, f2, f3) = (functions[0], functions[1], functions[2])
            #expect(try reaches(lab, "a", "b", family))
            let flood = try flood(lab, family)
            var chain: [ChainElement] = []
            for _ in 0..<20 {
                for next in [[f1], [f1, f2], [f3, f1, f2], [f1, f3, f2], [f1, f2], [f1, f3], [f3], []] {
                    try lab.steer("a", from: chain, to: next)
                    chain = next
                    usleep(3000)
                }
            }
            let count = flood.stop()
            #expect(count.sent > 1000 && count.returned == count.sent, "\(count)")
            #expect(count.streamed > 1_000_000 && count.received == count.streamed, "\(count)")
            for name in ["f1", "f2", "f3"] {
                #expect(try packets(lab, name, "in0") > 100 && packets(lab, name, "out0") > 100)
            }
        }
    }

    @Test(
        "A port with a rate keeps it, and its application is reached both ways",
        arguments: InterfacePrograms.Way.allCases)
    func rates(way: InterfacePrograms.Way) throws {
        try inLab(by: way) { lab in
            try lab.application("a") { ($0.rate.ingress, $0.rate.egress) = (1_000_000_000, 1_000_000_000) }
            try lab.application("b")
            let functions = [try lab.function("f1"), try lab.function("f2", .bridge(.direct))]
            try lab.steer("a", from: [], to: functions)
            let flood = try flood(lab)
            usleep(300_000)
            let count = flood.stop()
            #expect(count.sent > 50 && count.returned == count.sent, "\(count)")
            let fabric = try lab.store.existing("lab")
            let socket = try NetlinkSocket(in: fabric.namespace.number)
            let end = try #require(lab.ports["a"]?.end)
            let port = try #require(try socket.link(.name(end)))
            // What is held to the rate on the way to the application, and on the way from it.
            let own = try socket.qdiscs(of: port.index).first { $0.kind == "tbf" }
            #expect((own?.packets ?? 0) > 50)
            let companion = try #require(try socket.link(.name(PortShaper.companion(of: end))))
            let other = try socket.qdiscs(of: companion.index).first { $0.kind == "tbf" }
            #expect((other?.packets ?? 0) > 50)
        }
    }

    @Test("What a function sends as somebody else does not reach the switch; nor does one without a chain")
    func spoofed()
        throws
    {
        try inLab { lab in
            try lab.application("a")
            try lab.application("b")
            let function = try lab.function("f1", .bridge(.none))
            let receiver = Descriptor(try bound(try lab.namespace("b"), Int32(SOCK_DGRAM.rawValue), 4096))
            /// Whether a packet from its end with addresses of its own choice arrives.
            func arrives(from mac: MACAddress, _ address: String) throws -> Bool {
                try sendFrame(
                    in: try lab.namespace("f1"), "out0", to: try #require(lab.ports["b"]?.mac), from: mac,
                    source: try #require(IPAddress(address)), destination: try lab.address("b"))
                var wait = pollfd(fd: receiver.number, events: Int16(POLLIN), revents: 0)
                if poll(&wait, 1, 100) == 0 { return false }
                var byte: UInt8 = 0
                return recv(receiver.number, &byte, 1, 0) >= 0
            }
            let own = try #require(lab.ports["a"]?.mac)
            let address = try lab.address("a").description
            #expect(try !arrives(from: own, address))
            try lab.steer("a", from: [], to: [function])
            #expect(try !arrives(from: own, "10.251.0.77"))
            #expect(try !arrives(from: MACAddress(derivedFrom: "somebody"), address))
            #expect(try arrives(from: own, address))
            try lab.steer("a", from: [function], to: [])
            #expect(try !arrives(from: own, address))
        }
    }

    @Test(
        "Traffic stops when a function ends, or goes past it where that is asked for", arguments: [false, true],
        InterfacePrograms.Way.allCases)
    func failure(opens: Bool, way: InterfacePrograms.Way) throws {
        try inLab(by: way) { lab in
            try lab.application("a")
            try lab.application("b")
            var chain = [try lab.function("f1"), try lab.function("f2", failsOpen: opens)]
            try lab.steer("a", from: [], to: chain)
            #expect(try reaches(lab, "a", "b") && reaches(lab, "b", "a"))
            lab.close("f2")
            try until { try !lab.store.state(of: chain, on: "lab")[1].isAlive }
            if opens {
                #expect(try reaches(lab, "a", "b") && reaches(lab, "b", "a"))
            } else {
                #expect(try !reaches(lab, "a", "b", tries: 3) && !reaches(lab, "b", "a", tries: 3))
            }
            // It can be taken out, or replaced, as if it were there.
            let third = try lab.function("f3")
            try lab.steer("a", from: chain, to: [chain[0], chain[1], third])
            chain.append(third)
            #expect(try reaches(lab, "a", "b", tries: 3) == opens)
            try lab.steer("a", from: chain, to: [chain[0], third])
            #expect(try reaches(lab, "a", "b") && reaches(lab, "b", "a"))
            // It cannot come back.
            let refused = #expect(throws: SwitchError.self) {
                try lab.steer("a", from: [chain[0], third], to: [chain[1]])
            }
            #expect(refused?.message.contains("\"f2\" has ended") == true)
            #expect(try reaches(lab, "a", "b"))
        }
    }

    @Test(
        "A classifier leads what it describes by the function, both ways, and nothing else",
        arguments: InterfacePrograms.Way.allCases)
    func classifier(way: InterfacePrograms.Way) throws {
        try inLab(by: way) { lab in
            try lab.application("a")
            try lab.application("b")
            // Nothing comes out of it again.
            let hole = try lab.function("hole", .bridge(.none), "udp dport {5000, 6000-6010}, ip daddr 10.9.0.0/16")
            try lab.steer("a", from: [], to: [hole])
            #expect(try reaches(lab, "a", "b", port: 4000))
            #expect(try reaches(lab, "a", "b", .v6, port: 4000))
            for port in [5000, 6000, 6010] as [UInt16] {
                #expect(try !reaches(lab, "a", "b", port: port, tries: 2))
                #expect(try !reaches(lab, "a", "b", .v6, port: port, tries: 2))
            }
            #expect(try reaches(lab, "a", "b", port: 6011) && reaches(lab, "a", "b", port: 5999))
            // That is the port of the other side: what is sent to the application's own is not meant.
            #expect(try reaches(lab, "b", "a", port: 5000))
            #expect(try packets(lab, "hole", "in0") >= 6)
        }
    }

    @Test(
        "Copies of both directions go to a tap, and nothing comes out of it",
        arguments: InterfacePrograms.Way.allCases)
    func tap(way: InterfacePrograms.Way) throws {
        try inLab(by: way) { lab in
            try lab.application("a")
            try lab.application("b")
            let tap = try lab.function("tap", .tap)
            let function = try lab.function("f1")
            let flood = try flood(lab)
            try lab.steer("a", from: [], to: [function, tap])
            usleep(200_000)
            try lab.steer("a", from: [function, tap], to: [tap])
            usleep(200_000)
            let copies = try packets(lab, "tap", "in0")
            try lab.steer("a", from: [tap], to: [])
            let count = flood.stop()
            #expect(count.returned == count.sent && count.received == count.streamed, "\(count)")
            #expect(copies > UInt64(count.sent), "\(copies) of \(count)")
            let all = try packets(lab, "tap", "in0")
            #expect(try reaches(lab, "a", "b") && packets(lab, "tap", "in0") == all)
        }
    }

    @Test("A function with addresses of its own gets what is for it, and routes") func route() throws {
        try inLab { lab in
            let port = try lab.application("a")
            try lab.application("b")
            let (near, far) = (try #require(IPPrefix("10.252.0.1/24")), try #require(IPPrefix("10.253.0.1/24")))
            let router = try lab.function("r", .route(inner: [near], outer: [far]))
            let inside = try NetlinkSocket(in: try lab.namespace("r"))
            let mac = try #require(try inside.link("in0")?.address)
            // The application has the function for a neighbour.
            let own = try NetlinkSocket(in: try lab.namespace("a"))
            let link = try #require(try own.link("eth0")).index
            try own.send([
                .add(InterfaceAddress(try #require(IPPrefix("10.252.0.2/24")), link: link)),
                .replace(Neighbour(near.address, mac, link: link)),
            ])
            let there = try #require(try inside.link("in0")).index
            try inside.send(
                .replace(
                    Neighbour(try #require(IPAddress("10.252.0.2")), try #require(port.mac), link: there)))
            try lab.steer("a", from: [], to: [router])
            #expect(
                try arrives(from: try lab.namespace("a"), to: try lab.namespace("r"), near.address, tries: 10))
            #expect(try networkSetting("ipv4/ip_forward", in: try lab.namespace("r")) == "1")
        }
    }

    @Test("Ports apart from each other, and rules, are as they were without a chain") func isolation() throws {
        try inLab({ $0.isIsolated = true }) { lab in
            try lab.application("a")
            try lab.application("b") { $0.isolated = false }
            try lab.application("c")
            try lab.application("d") {
                $0.isolated = false
                $0.allow = [TrafficRule("udp to 10.251.0.0/24:4000")].compactMap { $0 }
            }
            let functions = [try lab.function("f1"), try lab.function("f2")]
            try lab.steer("a", from: [], to: [functions[0]])
            try lab.steer("d", from: [], to: [functions[1]])
            #expect(try reaches(lab, "a", "b") && !reaches(lab, "a", "c", tries: 2))
            #expect(try reaches(lab, "d", "b") && !reaches(lab, "d", "b", port: 4002, tries: 2))
        }
    }
}

/// Waits for at most five seconds.
private func until(_ condition: () throws -> Bool) throws {
    for _ in 0..<500 {
        if try condition() { return }
        usleep(10_000)
    }
    Issue.record("it has not come to pass within five seconds")
}

/// Sends an empty UDP datagram of IPv4 with any addresses (packet(7)).
private func sendFrame(
    in namespace: Int32, _ interface: String, to: MACAddress, from: MACAddress, source: IPAddress,
    destination: IPAddress
) throws {
    let index = try #require(try NetlinkSocket(in: namespace).link(.name(interface))).index
    let socket = try openSocket(in: namespace, AF_PACKET, Int32(SOCK_RAW.rawValue), 0)
    var header: [UInt8] = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0] + source.bytes + destination.bytes
    var sum: UInt32 = 0
    for word in stride(from: 0, to: 20, by: 2) { sum += UInt32(header[word]) << 8 | UInt32(header[word + 1]) }
    while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
    (header[10], header[11]) = (UInt8(~sum >> 8 & 0xFF), UInt8(~sum & 0xFF))
    let frame = to.bytes + from.bytes + [8, 0] + header + [0x10, 0, 0x10, 0, 0, 8, 0, 0]
    // `struct sockaddr_ll`.
    var place = [UInt32](repeating: 0, count: 5)
    (place[0], place[1]) = (UInt32(AF_PACKET), UInt32(bitPattern: index))
    let sent = place.withUnsafeBytes { place in
        place.withMemoryRebound(to: sockaddr.self) {
            sendto(
                socket.number, frame, frame.count, 0, __CONST_SOCKADDR_ARG(__sockaddr__: $0.baseAddress),
                socklen_t(20))
        }
    }
    try #require(sent == frame.count)
}
