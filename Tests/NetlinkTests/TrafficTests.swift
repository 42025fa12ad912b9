import Addresses
import CLinux
import CNetlink
import Glibc
import Kernel
import Testing

@testable import Netlink

@Suite(.enabled(if: isRoot, needsRoot))
struct TrafficTests {
    private func pair(_ socket: borrowing NetlinkSocket, _ name: String) throws -> Link {
        let peer = LinkOptions(name + "-peer")
        return try socket.create(LinkSpec(LinkOptions(name, isUp: true), .veth(peer: peer)))
    }

    @Test func rateIsSetReadBackAndChanged() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let link = try pair(socket, "a").index
            // The last is 8 Gbit/s and more than 32 bits of bytes.
            for rate: UInt64 in [6_250_000, 12_500_000, 5_000_000_000] {
                let limit = RateLimit(rate: rate, burst: 65_536)
                try socket.send(.replace(.tokenBucket(limit), on: link))
                let state = try #require(try socket.qdiscs(of: link).first { $0.kind == "tbf" })
                #expect(state.limit?.rate == rate && state.limit?.limit == limit.limit)
                let burst = Int(state.limit?.burst ?? 0)
                #expect(abs(burst - 65_536) < 400, "\(burst)")
            }
            try socket.send(.delete(.tokenBucket(RateLimit(rate: 1, burst: 1)), from: link))
            #expect(try !socket.qdiscs(of: link).contains { $0.kind == "tbf" })
        }
    }

    @Test func limitCountsWhatIsTooMuch() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let bridge = try socket.create(LinkSpec(LinkOptions("br0", isUp: true), .bridge()))
            let a = try Station.join("a", "10.1.0.2/24", on: socket, bridge: bridge.index)
            let b = try Station.join("b", "10.1.0.3/24", on: socket, bridge: bridge.index)
            #expect(try a.reaches(b))
            let link = try #require(try socket.link("b")).index
            // 4000 bytes a second, and 2 kilobytes may wait.
            let limit = RateLimit(rate: 4000, burst: 2000, latency: 500_000)
            try socket.send(.replace(.tokenBucket(limit), on: link))
            let flood = try openSocket(in: a.namespace.number, AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            try sendMany(flood.number, to: b.address, count: 200, bytes: 500)
            let state = try #require(try socket.qdiscs(of: link).first { $0.kind == "tbf" })
            #expect(state.dropped > 100 && state.packets > 0 && state.overLimit > 0)
        }
    }

    private func sendMany(_ socket: Int32, to address: IPAddress, count: Int, bytes: Int) throws {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = UInt16(9).bigEndian
        place.sin_addr.s_addr = UInt32(address.number).bigEndian
        let data = [UInt8](repeating: 0, count: bytes)
        for _ in 0..<count {
            let sent = withUnsafePointer(to: place) {
                sendto(
                    socket, data, data.count, 0, __CONST_SOCKADDR_ARG(__sockaddr_in__: $0),
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            }
            // Nobody listens there, which a later send is told.
            try #require(sent == bytes || errno == ECONNREFUSED)
        }
    }

    @Test func classesAreSetReadBackAndChanged() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let link = try pair(socket, "a").index
            try socket.send(.add(.classes(otherwise: 2), to: link))
            #expect(
                #expect(throws: SystemError.self) { try socket.send(.add(.classes(otherwise: 2), to: link)) }?.code
                    == EEXIST)
            let whole = TrafficClass(1, RateLimit(rate: 12_500_000))
            let part = TrafficClass(2, in: 1, RateLimit(rate: 1_250_000), ceiling: RateLimit(rate: 12_500_000))
            try socket.send([.replace(whole, on: link), .replace(part, on: link)])
            let state = try #require(try socket.classes(of: link).first { $0.handle == 0x1_0002 })
            #expect(state.parent == 0x1_0001 && state.limit?.rate == 1_250_000 && state.ceiling?.rate == 12_500_000)
            let faster = TrafficClass(
                2, in: 1, RateLimit(rate: 6_250_000_000), ceiling: RateLimit(rate: 12_500_000_000))
            try socket.send(.replace(faster, on: link))
            let changed = try #require(try socket.classes(of: link).first { $0.handle == 0x1_0002 })
            #expect(changed.limit?.rate == 6_250_000_000 && changed.ceiling?.rate == 12_500_000_000)
            try socket.send(.delete(part, from: link))
            #expect(try socket.classes(of: link).map(\.handle) == [0x1_0001])
        }
    }

    @Test func filtersAreSetReadBackAndDeleted() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let (link, other) = (try pair(socket, "a").index, try pair(socket, "b").index)
            try socket.send(.add(.filters, to: link))
            let match = TrafficFilter.Match(value: 0x0A01_0000, mask: 0xFFFF_0000, offset: 16)
            let filters = [
                TrafficFilter(.input, priority: 1, .redirect(to: other)),
                TrafficFilter(.input, priority: 2, protocol: 0x0800, matches: [match], .mirror(to: other)),
                TrafficFilter(.input, priority: 3, protocol: 0x86DD, .inject(into: other)),
            ]
            try socket.send(filters.map { .add($0, to: link) })
            let copy = TrafficFilter(.output, priority: 9, .mirror(to: other))
            try socket.send(.add(copy, to: link))
            #expect(try socket.filters(of: link, .input) == filters)
            #expect(try socket.filters(of: link, .output) == [copy])
            try socket.send(.delete(filters[0], from: link))
            #expect(try socket.filters(of: link, .input) == Array(filters[1...]))
            #expect(
                #expect(throws: SystemError.self) { try socket.send(.delete(filters[0], from: link)) }?.code == ENOENT)
            try socket.send(.delete(.filters, from: link))
            #expect(throws: SystemError.self) { try socket.send(.add(copy, to: link)) }
        }
    }

    @Test func crossConnectionIsAWire() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let ends = try ["a", "b"].map { name in
                try socket.create(LinkSpec(LinkOptions(name, isUp: true), .veth(peer: LinkOptions(name + "1")))).index
            }
            let a = try Station.make("10.1.0.2/24") {
                try socket.send(.rename(try #require(try socket.link("a1")).index, to: "eth0", namespace: $0))
            }
            let b = try Station.make("10.1.0.3/24") {
                try socket.send(.rename(try #require(try socket.link("b1")).index, to: "eth0", namespace: $0))
            }
            #expect(try !a.reaches(b, tries: 1))
            for (from, to) in [(ends[0], ends[1]), (ends[1], ends[0])] {
                let filter = TrafficFilter(.input, priority: 1, .redirect(to: to))
                try socket.send([.add(.filters, to: from), .add(filter, to: from)])
            }
            #expect(try a.reaches(b))
        }
    }

    @Test func programDecides() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let bridge = try socket.create(LinkSpec(LinkOptions("br0", isUp: true), .bridge()))
            let a = try Station.join("a", "10.1.0.2/24", on: socket, bridge: bridge.index)
            let b = try Station.join("b", "10.1.0.3/24", on: socket, bridge: bridge.index)
            let link = try #require(try socket.link("a")).index
            // TC_ACT_SHOT, TC_ACT_OK.
            let drop = try program(returning: 2)
            let pass = try program(returning: 0)
            let filter = TrafficFilter(.input, priority: 1, .program(drop.number, name: "drop"))
            try socket.send([.add(.filters, to: link), .add(filter, to: link)])
            #expect(try !a.reaches(b, tries: 2))
            try socket.send(.replace(program: pass.number, name: "pass", of: filter, on: link))
            #expect(try a.reaches(b))
            let found = try socket.filters(of: link, .input)
            #expect(found.count == 1)
            if case .program(_, let name) = found[0].action {
                #expect(name == "pass")
            } else {
                Issue.record("no program")
            }
        }
    }

    /// A program for tc (bpf(2), BPF_PROG_TYPE_SCHED_CLS) of two instructions: r0 = value, exit.
    private func program(returning value: UInt32) throws -> Descriptor {
        let code: [UInt64] = [0xB7 | UInt64(value) << 32, 0x95]
        var attributes = [UInt64](repeating: 0, count: 16)
        attributes[0] = 3 | 2 << 32
        return Descriptor(
            try check("load a program") {
                code.withUnsafeBytes { code in
                    "GPL".withCString { license in
                        attributes[1] = UInt64(UInt(bitPattern: code.baseAddress))
                        attributes[2] = UInt64(UInt(bitPattern: license))
                        return linux_bpf(5, &attributes, 128)
                    }
                }
            })
    }
}
