public import Addresses
import Kernel

/// What things are called in a switch's network namespace.
enum FabricName {
    static let bridge = bridge(0)
    /// The first bridge's, so that it need not be asked for: one that nothing gets by itself.
    static let bridgeIndex: Int32 = 1_000_000
    /// The first, and those that are joined to it.
    static func bridge(_ number: Int) -> String { "br" + decimalDigits(UInt64(number)) }
    /// Both ends of what joins a further one to the first, the first's and the further one's.
    static func near(_ number: Int) -> String { "t" + decimalDigits(UInt64(number)) }
    static func far(_ number: Int) -> String { "u" + decimalDigits(UInt64(number)) }
    /// The switch's side of its link to the host.
    static let uplink = "up0"
    /// A port: `p` and a number that is no other port's.
    static func port(_ number: UInt64) -> String { "p" + decimalDigits(number) }

    static func isPort(_ name: String) -> Bool {
        name.utf8.first == UInt8(ascii: "p") && name.utf8.count > 1
            && name.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }

    /// An address that a port has, as a further name of it (IFLA_ALT_IFNAME): the kernel lets no two have the same, and
    /// it is free again when the port is gone.
    static func lease(_ address: IPAddress) -> String { address.description }
}

/// What an interface's alias says of a port: whose it is and what it is called there.
public struct PortLabel: Sendable, Equatable {
    /// The sandbox's name, or `-`.
    public var owner: String
    public var interface: String
    public var address: MACAddress

    var text: String { owner + " " + interface + " " + address.description }

    init(owner: String?, interface: String, address: MACAddress) {
        self.owner = owner ?? "-"
        self.interface = interface
        self.address = address
    }

    /// `nil` for what we did not write.
    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 3, let address = MACAddress(String(words[2])) else { return nil }
        owner = String(words[0])
        interface = String(words[1])
        self.address = address
    }
}
