public import Addresses

extension Profile {
    /// How the box is attached to networks: one interface, and further ones.
    public struct Network: Sendable, Equatable {
        /// The first: its keys are the section's own.
        public var interface = Interface()
        public var more: [Interface] = []

        public init() {}

        public var attach: Interface.Attach? {
            get { interface.kind }
            set { interface.attach = newValue }
        }

        /// Those that the box gets, in order; none where it uses the caller's network or has the loopback alone.
        public var interfaces: [Interface] { ([interface] + more).filter { $0.kind?.makesInterface == true } }
    }

    /// An interface of the box.
    public struct Interface: Sendable, Equatable {
        public enum Attach: String, Sendable, CaseIterable {
            /// The caller's network, joined or shared.
            case host
            /// Loopback only.
            case none
            /// A port of a switch: a veth(4) pair, one end in the box.
            case veth
            /// A port that shares a device with others, each with a hardware address of its own (ip-link(8)).
            case macvlan
            /// The same with a character device for a program that handles frames itself.
            case macvtap
            /// A device of the host, moved in and given back when the box has ended.
            case physical
            /// The caller's own sockets stand for the box's (pasta(1)): works without root.
            case user

            public var makesInterface: Bool { self != .host && self != .none }
            /// Whether it is one of several on a device of the host's, or of a switch.
            public var sharesDevice: Bool { self == .macvlan || self == .macvtap }
            var usesSwitch: Bool { self == .veth || sharesDevice }
            var usesDevice: Bool { self == .physical || sharesDevice }
        }

        /// Who reaches whom on one parent (ip-link(8)).
        public enum Mode: String, Sendable, CaseIterable { case bridge, `private`, vepa, passthru, source }

        public enum Address: Sendable, Equatable {
            /// One of each of the switch's subnets, that no other port has.
            case auto
            case none
            /// What DHCP servers give, one of each family (RFC 2131, RFC 8415).
            case dynamic([IPFamily])
            /// As given, each with the length of its network's prefix.
            case fixed([IPPrefix])
        }

        public enum HardwareAddress: Sendable, Equatable {
            /// The same for the same name on the same switch, by chance for a box without a name.
            case auto
            case random
            case fixed(MACAddress)
        }

        public enum Gateway: Sendable, Equatable {
            /// The switch's, where it leads anywhere.
            case auto
            case none
            case address(IPAddress)
        }

        public enum NameServer: Sendable, Equatable {
            /// The switch's.
            case auto
            case address(IPAddress)
        }

        public struct Route: Sendable, Equatable {
            public var to: IPPrefix
            public var via: IPAddress

            public init(to: IPPrefix, via: IPAddress) { (self.to, self.via) = (to, via) }
        }

        /// Most bits per second.
        public struct Rate: Sendable, Equatable {
            /// What the box sends.
            public var egress: UInt64?
            /// What it receives.
            public var ingress: UInt64?
            /// Bytes that may pass at once; `nil`: what fits the rate.
            public var burst: UInt64?

            public init() {}
            public var isEmpty: Bool { egress == nil && ingress == nil }
        }

        public var attach: Attach?
        public var switchName: String?
        /// In the box; `nil`: `eth0`, `eth1` and so on, a `physical` one its own.
        public var name: String?
        /// The host's device: a parent, or the one that is moved in.
        public var device: String?
        public var mode = Mode.bridge
        /// Hardware addresses that are let in, in mode `source`.
        public var sources: [MACAddress] = []
        public var address = Address.auto
        public var hardwareAddress = HardwareAddress.auto
        /// Bytes; `nil`: the switch's.
        public var mtu: Int?
        /// The VLAN that the port belongs to, untagged.
        public var vlan: Int?
        /// VLANs that pass tagged.
        public var trunk: [Int] = []
        public var isolated: Bool?
        public var gateway = Gateway.auto
        public var routes: [Route] = []
        public var nameServers: [NameServer] = [.auto]
        public var publish: [Publication] = []
        public var rate = Rate()
        /// ``FunctionReference``s as they were written, from the application on.
        public var chain: [String] = []
        /// Whether frames may have other source addresses than the interface's; `nil`: not where it can be prevented.
        public var spoofing: Permission?
        /// What passes; `nil`: everything.
        public var allow: [TrafficRule]?

        public init() {}

        /// The families of which a DHCP server gives the address.
        public var dynamicFamilies: [IPFamily] {
            if case .dynamic(let families) = address { families } else { [] }
        }

        /// A switch alone means a veth.
        public var kind: Attach? { attach ?? (switchName == nil ? nil : .veth) }
    }
}
