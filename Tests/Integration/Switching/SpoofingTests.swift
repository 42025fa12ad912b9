import Testing

extension Integration {
    /// A port sends from its own hardware address and addresses alone: shown by what its neighbour's port gets, and what
    /// passes the switch.
    @Suite("Spoofed frames do not leave their port", .needsRoot, .needsProgram("tcpdump"), .needsProgram("nft"))
    struct SpoofingTests {
        let scene: SwitchScene
        let evil: RunningSandbox
        let victim: RunningSandbox
        let third: RunningSandbox

        init() throws {
            scene = try SwitchScene()
            try scene.create("lab", ["--subnet", "10.91.0.0/24", "--subnet", "fd91::/64"])
            evil = try scene.start("evil", ["--address", "10.91.0.6/24,fd91::6/64"])
            victim = try scene.start("victim", ["--address", "10.91.0.7/24,fd91::7/64"])
            third = try scene.start("third", ["--address", "10.91.0.8/24,fd91::8/64"])
        }

        private func mac(_ name: String) throws -> String { try scene.port(of: name)["mac"].text ?? "" }
        private static func v6(_ last: String) -> String { "fd910000000000000000000000000" + "00" + last }

        /// Sends a frame that must not get out, and one behind it that must; both are seen at the port itself.
        private func expectHeld(_ frame: String, _ sign: String, sourceLocation: SourceLocation = #_sourceLocation)
            throws
        {
            let honest = Frames.udp("10.91.0.6", "10.91.0.7", to: try mac("victim"), from: try mac("evil"))
            let captures = [
                try scene.capture(["lab", "evil"], into: "own.pcap"),
                try scene.capture(["lab"], into: "switch.pcap"),
                try scene.capture(["victim", "eth0"], into: "victim.pcap"),
            ]
            let before = try scene.show()["spoofed"].number ?? -1
            try evil.send([frame, honest])
            let taken = try captures.map { try $0.end(after: "10.91.0.6.4660 > 10.91.0.7.4661") }
            #expect(taken[0].contains { $0.contains(sign) }, "\(taken[0])", sourceLocation: sourceLocation)
            for lines in taken[1...] {
                #expect(!lines.contains { $0.contains(sign) }, "\(lines)", sourceLocation: sourceLocation)
                #expect(
                    lines.contains { $0.contains("10.91.0.6.4660 > 10.91.0.7.4661") }, "\(lines)",
                    sourceLocation: sourceLocation)
            }
            #expect(try (scene.show()["spoofed"].number ?? -1) == before + 1, sourceLocation: sourceLocation)
        }

        @Test("another address of IPv4") func address4() throws {
            try expectHeld(
                Frames.udp("10.91.0.8", "10.91.0.7", to: mac("victim"), from: mac("evil")), "10.91.0.8.4660")
        }

        @Test("another address of IPv6") func address6() throws {
            try expectHeld(
                Frames.icmpv6(
                    Self.v6("8"), Self.v6("7"), type: "80", "00010001", to: mac("victim"), from: mac("evil")),
                "fd91::8 > fd91::7")
        }

        @Test("another hardware address, known to the switch or not") func hardware() throws {
            try expectHeld(
                Frames.udp("10.91.0.6", "10.91.0.7", to: mac("victim"), from: "02:00:00:00:be:ef"), "02:00:00:00:be:ef")
            let other = try mac("third")
            try expectHeld(
                Frames.udp("10.91.0.6", "10.91.0.9", to: mac("victim"), from: other), "\(other) > ")
        }

        @Test("an ARP answer for another's address, and one with another's hardware address inside") func arp() throws {
            try expectHeld(
                Frames.arp("10.91.0.8", at: mac("evil"), to: mac("victim")), "Reply 10.91.0.8 is-at")
            try expectHeld(
                Frames.arp("10.91.0.6", at: mac("third"), to: mac("victim"), sender: mac("evil")),
                "Reply 10.91.0.6 is-at")
        }

        @Test("a neighbour advertisement of another's address from one's own, a router's advertisement, a redirect")
        func neighbours() throws {
            let (to, from) = (try mac("victim"), try mac("evil"))
            let link = "0201" + Frames.hex(from)
            func message(_ type: String, _ body: String) -> String {
                Frames.icmpv6(Self.v6("6"), Self.v6("7"), type: type, body, to: to, from: from)
            }
            try expectHeld(message("88", "60000000" + Self.v6("8") + link), "tgt is fd91::8")
            try expectHeld(message("86", "40000708" + "0000000000000000"), "router advertisement")
            try expectHeld(message("89", "00000000" + Self.v6("8") + Self.v6("8")), "redirect")
        }

        @Test("the same in frames with the tag of VLAN 0, which others take for none") func tagged() throws {
            let (to, from) = (try mac("victim"), try mac("evil"))
            func tagged(_ frame: String) -> String { frame.prefix(24) + "81000000" + frame.dropFirst(24) }
            func message(_ source: String, _ type: String, _ body: String) -> String {
                tagged(Frames.icmpv6(Self.v6(source), Self.v6("7"), type: type, body, to: to, from: from))
            }
            let link = "0201" + Frames.hex(from)
            try expectHeld(message("6", "88", "60000000" + Self.v6("8") + link), "tgt is fd91::8")
            try expectHeld(message("6", "86", "40000708" + "0000000000000000"), "router advertisement")
            try expectHeld(message("8", "80", "00010001"), "fd91::8 > fd91::7")
            try expectHeld(tagged(Frames.arp("10.91.0.8", at: from, to: to)), "Reply 10.91.0.8 is-at")
            try expectHeld(tagged(Frames.udp("10.91.0.8", "10.91.0.7", to: to, from: from)), "10.91.0.8.4660")
        }

        @Test("one's own is believed: both families, and neighbour advertisements") func own() throws {
            #expect(try evil.ping("10.91.0.7") && evil.ping("fd91::7") && victim.ping("fd91::6"))
            let (to, from) = (try mac("victim"), try mac("evil"))
            let honest = Frames.icmpv6(
                Self.v6("6"), Self.v6("7"), type: "88", "60000000" + Self.v6("6") + "0201" + Frames.hex(from), to: to,
                from: from)
            let capture = try scene.capture(["victim"])
            try evil.send([honest])
            #expect(try capture.end(after: "tgt is fd91::6").contains { $0.contains("tgt is fd91::6") })
        }

        @Test("who may spoof does, and the switch says so") func allowed() throws {
            let free = try scene.start("free", ["--set", "network.spoofing=allow"])
            let capture = try scene.capture(["victim"])
            try free.send([
                Frames.udp("10.91.0.99", "10.91.0.7", to: try mac("victim"), from: "02:00:00:00:be:ef")
            ])
            #expect(try capture.end(after: "10.91.0.99").contains { $0.contains("02:00:00:00:be:ef > ") })
            #expect(try scene.port(of: "free")["spoofing"].isTrue)
            #expect(try !scene.port(of: "evil")["spoofing"].isTrue)
            #expect(try scene.box.sandbox(["switch", "show", "lab"]).out.contains("may spoof"))
        }
    }
}
