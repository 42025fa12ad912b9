extension Profile {
    /// What makes a profile a service function, which stands between a port and its switch (RFC 7665).
    public struct Function: Sendable, Equatable {
        public enum Placement: String, Sendable, CaseIterable {
            /// Rules and queues of the port itself: no process, no further hop.
            case inline
            /// A sandbox with a pair of ports between the application's port and the switch.
            case sandbox
            /// A program in such a sandbox that ends connections and begins them anew.
            case proxy
        }

        /// How a sandbox stands in the way.
        public enum Mode: String, Sendable, CaseIterable { case bridge, route, proxy, tap }

        /// What joins the two ends of a box of mode bridge.
        public enum Wire: String, Sendable, CaseIterable {
            /// A bridge(8), where the packet filter of the box's network namespace sees what passes.
            case bridge
            /// Nothing that could filter: for who only looks on.
            case direct
            /// The function's own program.
            case none
        }

        /// What becomes of the traffic when the function fails.
        public enum Failure: String, Sendable, CaseIterable { case closed, open }

        /// Texts, in which `$NAME` stands for a parameter.
        public struct Rate: Sendable, Equatable {
            public var egress: String?
            public var ingress: String?
            public var burst: String?

            public init() {}
            public var isEmpty: Bool { self == Rate() }
        }

        public struct Parameter: Sendable, Equatable {
            public enum Sort: String, Sendable, CaseIterable {
                case boolean, integer, word, words, address, addresses, port, ports, rate, size, duration, sandbox, path
                case names

                /// Whether several values can be given, with commas.
                public var isList: Bool { [.words, .addresses, .ports, .names].contains(self) }
            }

            public var type: Sort
            /// As a reference would give it; `nil`: it must be given, a list is empty, a flag off.
            public var usual: String?
            public var isRequired: Bool
            public var help: String?

            public init(_ type: Sort, usual: String? = nil, isRequired: Bool = false, help: String? = nil) {
                (self.type, self.usual, self.isRequired, self.help) = (type, usual, isRequired, help)
            }
        }

        public var placement: Placement
        public var mode: Mode?
        /// A match of nft(8) as what the application sends meets it; the other way it is turned round.
        public var classifier: String?
        public var failure = Failure.closed
        public var parameters: Named<Parameter> = [:]
        /// Parameters' values by the preset's name.
        public var presets: Named<Named<String>> = [:]
        /// Statements of nft(8), rule by rule.
        public var toSwitch: [String] = []
        public var toApplication: [String] = []
        public var rate = Rate()
        public var delay: String?
        public var wire: Wire?
        /// Whether what passes a bridge meets the packet filter of IP and its tracking of connections.
        public var tracksConnections = false
        /// How long a proxy that is taken out may end what it has begun, in milliseconds.
        public var drain: Int?

        public init(_ placement: Placement) { self.placement = placement }
    }
}
