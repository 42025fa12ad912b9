extension Profile {
    /// What the box reaches of the host's message buses (D-Bus).
    public struct DBus: Sendable, Equatable {
        /// The caller's own bus.
        public var session = Bus()
        /// The machine's.
        public var system = Bus()

        public init() {}

        /// Whether anything is done about one of them.
        public var isLimited: Bool { session.access ?? .host != .host || system.access ?? .host != .host }
    }

    /// One bus, and what passes where it is filtered: names, with `.*` at the end those below too, and for calls and
    /// broadcasts `NAME=RULE` (xdg-dbus-proxy(1)).
    public struct Bus: Sendable, Equatable {
        /// `nil` where nothing is said.
        public var access: BusAccess?
        /// Names whose coming and going the box sees.
        public var see: [String] = []
        /// Names that it calls as it likes.
        public var talk: [String] = []
        /// Names that it may have itself.
        public var own: [String] = []
        public var call: [String] = []
        public var broadcast: [String] = []

        public init() {}

        /// Each list with the word that keys and xdg-dbus-proxy's options have for it.
        public var rules: [(word: String, entries: [String])] {
            [("see", see), ("talk", talk), ("own", own), ("call", call), ("broadcast", broadcast)]
        }
    }

    public enum BusAccess: String, Sendable, CaseIterable {
        /// The bus is out of reach.
        case closed = "none"
        /// A socket of the box's own leads to it, and only what is listed passes.
        case filtered
        /// Nothing is done about it.
        case host
    }

    /// The buses, with what follows where nothing is said of them: a display brings no session bus, and a box whose session
    /// bus is filtered has no other.
    public var buses: DBus {
        var buses = dbus
        if buses.session.access == nil, display.server != .none { buses.session.access = .closed }
        if buses.system.access == nil, buses.session.access == .filtered { buses.system.access = .closed }
        return buses
    }
}

extension Profile.DBus {
    /// Both, with their keys and what keys of their lists begin with.
    public var all: [(key: String, prefix: String, bus: Profile.Bus)] {
        [("dbus.session", "dbus.", session), ("dbus.system", "dbus.system-", system)]
    }

    /// Keys of those that are filtered.
    public var filtered: [String] { all.filter { $0.bus.access == .filtered }.map { $0.key } }

    /// Variables that lead to one of them, which a box finds set by us or not at all.
    public static let variables = [
        "DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS", "DBUS_STARTER_ADDRESS", "DBUS_STARTER_BUS_TYPE",
    ]
}
