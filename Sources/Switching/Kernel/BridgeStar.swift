import Addresses
import Glibc
import Kernel
import Netlink

/// The bridges of a switch: one takes 1,023 ports, so that a switch has as many as it needs, each further one joined to
/// the first by a pair of ports. Every bridge knows all stations of the switch, and nothing is flooded from one to the
/// other that need not be.
struct BridgeStar {
    /// A bridge by its place in the star.
    struct Place {
        var number: Int
        var index: Int32
    }

    private static let first = Place(number: 0, index: FabricName.bridgeIndex)

    /// What a bridge knows of a port, wherever that is.
    struct Station {
        var mac: MACAddress
        /// 0 where the switch has none.
        var vlans: [UInt16]
        var addresses: [IPPrefix]
    }

    /// A further bridge, and both ends of what joins it.
    private struct Arm {
        var bridge: Int32
        /// On the first bridge.
        var near: Int32
        /// On the further one.
        var far: Int32
    }

    private let spec: SwitchSpec
    private let namespace: Int32
    private let directory: String

    init(_ spec: SwitchSpec, namespace: Int32, directory: String) {
        self.spec = spec
        self.namespace = namespace
        self.directory = directory
    }

    /// The bridge of that number, or the first.
    func bridge(_ number: Int, _ socket: borrowing NetlinkSocket) throws(SwitchError) -> Place {
        let found = try attributed { () throws(SystemError) in
            number == 0 ? nil : try socket.link(.name(FabricName.bridge(number)))
        }
        return found.map { Place(number: number, index: $0.index) } ?? BridgeStar.first
    }

    /// So many ports a bridge gets: the rest is for what joins the others to it, and for launches under way.
    static let limit = 960
    /// One port in so many looks how full its bridge is.
    static let step: UInt64 = 16

    /// A bridge with room for more, the first or a new one.
    func room(_ socket: borrowing NetlinkSocket) throws(SwitchError) -> Place {
        let lock = try lock()
        defer { lock.release() }
        var place = BridgeStar.first
        while true {
            let (index, number) = (place.index, place.number + 1)
            let (count, next) = try attributed { () throws(SystemError) in
                (try socket.links(master: index).count, try socket.link(.name(FabricName.bridge(number))))
            }
            if count < BridgeStar.limit - 30 { return place }
            guard let next else { break }
            place = Place(number: number, index: next.index)
        }
        if place.number == 0 { try prepareIsolation(socket) }
        let number = place.number + 1
        return try attributed { () throws(SystemError) in
            Place(number: number, index: try join(FabricName.bridge(number), number, socket))
        }
    }

    // MARK: - What all bridges know

    /// Lets the bridges know of a port: its own one by `known`, the others by what that says of `station`.
    /// - Returns: whether there are others.
    func announce(
        _ station: Station, on own: Int32, _ known: [NetlinkMessage], _ socket: borrowing NetlinkSocket
    ) throws(SwitchError) -> Bool {
        // Asked behind `known`: a bridge that is made from here on learns of the port from the first one.
        let failure = try attributed { () throws(SystemError) in
            try socket.send(known, thenTry: .look(at: .name(FabricName.bridge(1))))
        }
        if let failure {
            if failure.code == ENODEV { return false }
            throw SwitchError(failure)
        }
        let arms = try arms(socket)
        try attributed { () throws(SystemError) in
            try socket.send(
                // On its own bridge it is known already.
                arms.flatMap { arm in
                    station.vlans.map {
                        .replace(ForwardingEntry(station.mac, port: arm.bridge == own ? arm.near : arm.far, vlan: $0))
                    }
                } + arms.flatMap { neighbours(station, $0.bridge) })
        }
        return true
    }

    private func neighbours(_ station: Station, _ bridge: Int32) -> [NetlinkMessage] {
        station.addresses.map { .replace(Neighbour($0.address, station.mac, link: bridge)) }
    }

    private func arms(_ socket: borrowing NetlinkSocket) throws(SwitchError) -> [Arm] {
        for isLast in [false, true] {
            if let arms = try attributed({ () throws(SystemError) in try wholeArms(socket) }) { return arms }
            // Somebody is making one just now.
            if !isLast { try lock().release() }
        }
        throw SwitchError(
            "the switch \"\(spec.name)\" has lost what joins its bridges",
            mend: "'sandbox switch delete -f \(spec.name)' forgets it")
    }

    /// `nil` where one of them is not joined.
    private func wholeArms(_ socket: borrowing NetlinkSocket) throws(SystemError) -> [Arm]? {
        var arms: [Arm] = []
        while let bridge = try socket.link(.name(FabricName.bridge(arms.count + 1))) {
            let number = arms.count + 1
            guard let far = try socket.link(.name(FabricName.far(number))), far.master == bridge.index,
                let near = try socket.link(.name(FabricName.near(number)))
            else { return nil }
            arms.append(Arm(bridge: bridge.index, near: near.index, far: far.index))
        }
        return arms
    }

    // MARK: - Growth

    private func lock() throws(SwitchError) -> ByteLock {
        let lock = try attributed { () throws(SystemError) in
            try ByteLock(
                try StateFolder(existing: directory).open(File.lock, O_RDWR | O_CREAT), offset: 0, milliseconds: 10_000)
        }
        guard let lock else {
            throw SwitchError(
                "another command is at work on the bridges of the switch \"\(spec.name)\"",
                mend: "try again when it is done")
        }
        return lock
    }

    private func join(
        _ name: String, _ number: Int, _ socket: borrowing NetlinkSocket
    ) throws(SystemError) -> Int32 {
        // One of its own: it would take a port's, another one with each port, and forget its neighbours each time.
        guard let main = try socket.link(.index(FabricName.bridgeIndex)) else {
            throw SystemError("join a further bridge", code: ENODEV)
        }
        var link = LinkOptions(name, address: .random(), mtu: UInt32(main.mtu))
        link.isUp = true
        let bridge = try socket.create(LinkSpec(link, .bridge(Fabric.options(spec))))
        do throws(SystemError) {
            var end = LinkOptions(FabricName.near(number), mtu: UInt32(main.mtu), master: main.index)
            end.isUp = true
            let peer = LinkOptions(FabricName.far(number), mtu: UInt32(main.mtu))
            let near = try socket.create(LinkSpec(end, .veth(peer: peer)))
            guard let far = near.other else { throw SystemError("join a further bridge", code: ENODEV) }
            try NetfilterSocket(in: namespace).commit([PortElements.joining([near.index, far])])
            try socket.send(.change(.index(far), LinkChange(isUp: true, master: bridge.index)))
            if spec.filtersVLANs {
                for end in [near.index, far] { try socket.send(.add(Fabric.otherVLANs, toPort: end)) }
            }
            try teach(bridge.index, far, socket)
        } catch {
            // The other end goes with the first.
            for name in [name, FabricName.near(number)] {
                if let left = try socket.link(.name(name)) { try socket.send(.delete(.index(left.index))) }
            }
            throw error
        }
        return bridge.index
    }

    /// All that the first bridge knows is beyond the end that joins them.
    private func teach(_ bridge: Int32, _ far: Int32, _ socket: borrowing NetlinkSocket) throws(SystemError) {
        let entries = try socket.forwardingEntries(of: FabricName.bridgeIndex).filter { $0.origin == .fixed }
        let neighbours = try socket.neighbours(of: FabricName.bridgeIndex).filter { $0.isPermanent }
        try socket.send(
            entries.map { .replace(ForwardingEntry($0.mac, port: far, vlan: $0.vlan)) }
                + neighbours.compactMap { known in
                    known.mac.map { .replace(Neighbour(known.address, $0, link: bridge)) }
                })
    }

    private func prepareIsolation(_ socket: borrowing NetlinkSocket) throws(SwitchError) {
        try Program("nft", package: "nftables").run(["-f", "-"], input: Ruleset.apart, in: namespace)
        try attributed { () throws(SystemError) in
            let isolated = try socket.links(master: FabricName.bridgeIndex).filter {
                $0.group == FabricGroup.ports && $0.port?.isolated == true
            }
            if isolated.isEmpty { return }
            for part in stride(from: 0, to: isolated.count, by: 64) {
                try NetfilterSocket(in: namespace).commit([
                    PortElements.keepingApart(isolated[part..<min(part + 64, isolated.count)].map { $0.index })
                ])
            }
        }
    }
}
