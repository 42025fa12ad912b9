import Addresses
import Netlink
import Profile
import Testing

@testable import Switching

@Suite("Uplinks as values") struct UplinkTests {
    @Test(
        "Names of links fit an interface and differ",
        arguments: ["a", "lan", "exactly-12-ch", "a-name-that-is-far-too-long-for-it"]) func names(name: String)
    {
        let names = (0..<16).map { FabricName.hostLink(name, attempt: $0) }
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.utf8.count <= 15 && $0.hasPrefix("sb-") })
        #expect(names == (0..<16).map { FabricName.hostLink(name, attempt: $0) })
    }

    @Test("A short name is in the link's own") func shortName() {
        #expect(FabricName.hostLink("lan") == "sb-lan")
        #expect(FabricName.hostLink("twelve-chars") == "sb-twelve-chars")
        #expect(FabricName.hostLink("thirteen-chrs") != "sb-thirteen-chrs")
    }

    @Test("Networks between switch and host lie in the ranges that the rules name, and overlap nothing") func transit()
    {
        let (all4, all6) = (IPPrefix(Transit.network4), IPPrefix(Transit.network6))
        for number in [0, 1, 63, 64, Transit.count - 1] as [UInt32] {
            let transit = Transit(number: number)
            #expect(all4?.contains(transit.host(.v4)) == true && all4?.contains(transit.fabric(.v4)) == true)
            #expect(all6?.contains(transit.host(.v6)) == true && all6?.contains(transit.fabric(.v6)) == true)
            #expect(transit.host(.v4) != transit.fabric(.v4))
        }
        #expect(Transit(number: 0).host(.v4).description == "169.254.64.1")
        #expect(Transit(number: 65).fabric(.v4).description == "169.254.65.6")
        #expect(Transit(number: 3).fabric(.v6).description == "fd73:616e:6462:3::2")
        func free(_ taken: String...) -> UInt32? { Transit.free(besides: taken.compactMap { IPPrefix($0) })?.number }
        #expect(free() == 0)
        #expect(free("169.254.64.0/30", "fd73:616e:6462:1::/64") == 2)
        #expect(free("169.254.0.0/16") == nil)
    }

    @Test("What was kept of the host's settings is read again; nothing else is") func settings() {
        let text = "ipv4/conf/eth0/forwarding 0\nipv6/conf/a.b/force_forwarding 1\n"
        #expect(HostSettings.text(HostSettings.read(text)) == text)
        for line in [
            "ipv4/conf/../forwarding 0", "ipv4/ip_forward 0", "ipv4/conf/eth0/forwarding 2", "ipv4/conf//forwarding 0",
            "ipv4/conf/eth0/rp_filter 0", "kernel/conf/x/forwarding 0", "ipv4/conf/a/b/forwarding 0", "junk",
        ] {
            #expect(HostSettings.read(line).isEmpty, "\(line)")
        }
    }

    @Test("Only a switch that leads out lets its ports begin") func rules() {
        #expect(LinkRuleset.fabric(leadsOut: true).contains("iifname \"br0\" oifname \"up0\" accept"))
        #expect(!LinkRuleset.fabric(leadsOut: false).contains("oifname \"up0\" accept"))
    }

    @Test(
        "A published port as an element of a map, and back",
        arguments: ["8080:80", "127.0.0.1:53:5353/udp", "[::1]:443:8443"]) func elements(spec: String) throws
    {
        let publication = try #require(Publication(spec))
        let box = ["10.1.0.5/24", "fd00::5/64"].compactMap { IPPrefix($0) }
        let ports = try publication.ports(to: box)
        #expect(ports.count == (publication.address == nil ? 2 : 1))
        for port in ports {
            #expect(PublishedPort(port.element, in: port.map) == port)
            #expect(port.elementToDelete.data == nil && port.elementToDelete.key == port.element.key)
        }
    }

    @Test("A range leads port by port") func range() throws {
        let ports = try #require(Publication("9000-9002:80-82/udp")).ports(to: [try #require(IPPrefix("10.1.0.5/24"))])
        #expect(ports.map { $0.port } == [9000, 9001, 9002])
        #expect(ports.map { $0.targetPort } == [80, 81, 82])
        #expect(ports.allSatisfy { $0.transport == .udp && $0.map == "any4" && $0.permits == "published4" })
    }

    @Test("A port of all addresses is in the way of one of a single address") func collisions() throws {
        let box = [try #require(IPPrefix("10.1.0.5/24"))]
        func port(_ text: String) throws -> PublishedPort { try #require(Publication(text)).ports(to: box)[0] }
        #expect(try port("80:1").collides(with: port("127.0.0.1:80:2")))
        #expect(try !port("10.0.0.1:80:1").collides(with: port("127.0.0.1:80:2")))
        #expect(try !port("80:1").collides(with: port("80:1/udp")))
        #expect(throws: SwitchError.self) { try port("[::1]:80:1") }
    }

    @Test("Publishing is a rule of its own") func rule() throws {
        #expect(try #require(Publication("8080-8081:80-81")).rule.description == "tcp from any:80-81")
        #expect(try #require(Publication("53:53/udp")).rule.description == "udp from any:53")
    }
}
