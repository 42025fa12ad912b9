import Addresses
import Glibc
import Kernel
import Testing

@testable import Netlink

@Suite(.enabled(if: isRoot, needsRoot))
struct RouteTests {
    @Test func addressesComeAndGo() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let link = try socket.create(LinkSpec(LinkOptions("br0", isUp: true), .bridge()))
            let v4 = InterfaceAddress(try #require(IPPrefix("10.1.0.1/24")), link: link.index)
            let v6 = InterfaceAddress(
                try #require(IPPrefix("fd00::1/64")), link: link.index, flags: [.withoutDuplicateDetection])
            try socket.send([.add(v4), .add(v6)])
            let found = try socket.addresses(of: link.index)
            #expect(found.map(\.prefix).contains(v4.prefix) && found.map(\.prefix).contains(v6.prefix))
            #expect(found.first { $0.prefix == v6.prefix }?.flags.contains(.withoutDuplicateDetection) == true)
            #expect(#expect(throws: SystemError.self) { try socket.send(.add(v4)) }?.code == EEXIST)
            try socket.send([.delete(v4), .delete(v6)])
            let left = try socket.addresses(of: link.index).map(\.prefix)
            #expect(!left.contains(v4.prefix) && !left.contains(v6.prefix))
            #expect(#expect(throws: SystemError.self) { try socket.send(.delete(v4)) }?.code == EADDRNOTAVAIL)
        }
    }

    @Test func routesComeAndGo() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let link = try socket.create(LinkSpec(LinkOptions("br0", isUp: true), .bridge()))
            let here = InterfaceAddress(try #require(IPPrefix("10.1.0.2/24")), link: link.index)
            let here6 = InterfaceAddress(
                try #require(IPPrefix("fd00::2/64")), link: link.index, flags: [.withoutDuplicateDetection])
            try socket.send([.add(here), .add(here6)])
            let router = try #require(IPAddress("10.1.0.1"))
            let far = try #require(IPAddress("192.0.2.1"))
            let routes = [
                Route.byDefault(via: router, metric: 50),
                Route(
                    to: try #require(IPPrefix("10.9.0.0/16")), via: far, link: link.index, source: here.prefix.address,
                    isOnLink: true, advertisedSegment: 1400),
                Route(to: try #require(IPPrefix("10.8.0.0/16")), link: link.index),
                Route.byDefault(via: try #require(IPAddress("fd00::1")), link: link.index),
            ]
            try socket.send(routes.map { .add($0) })
            let found = try socket.routes()
            for route in routes {
                let match = found.first { $0.destination == route.destination }
                #expect(match?.gateway == route.gateway, "\(route)")
                #expect(match?.link == link.index, "\(route)")
                #expect(match?.isOnLink == route.isOnLink, "\(route)")
                #expect(match?.advertisedSegment == route.advertisedSegment, "\(route)")
                if let metric = route.metric { #expect(match?.metric == metric) }
                if let source = route.source { #expect(match?.source == source) }
            }
            #expect(#expect(throws: SystemError.self) { try socket.send(.add(routes[0])) }?.code == EEXIST)
            try socket.send(.replace(routes[0]))
            try socket.send(routes.map { .delete($0) })
            let left = try socket.routes().map(\.destination)
            #expect(routes.allSatisfy { !left.contains($0.destination) })
            #expect(#expect(throws: SystemError.self) { try socket.send(.delete(routes[0])) }?.code == ESRCH)
        }
    }

    @Test func settingsAreOfThatNamespaceAlone() throws {
        try inNewNetwork { here in
            let there = try newNetwork()
            try setNetworkSetting("ipv4/ip_forward", "1", in: there.number)
            #expect(try networkSetting("ipv4/ip_forward", in: there.number) == "1")
            #expect(try networkSetting("ipv4/ip_forward", in: here) == "0")
            #expect(throws: SystemError.self) { try networkSetting("ipv4/nosuch", in: there.number) }
        }
    }
}
