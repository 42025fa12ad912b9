import Glibc
import Kernel

/// Programs as filters of tc(8) (tc-bpf(8), direct-action), at a queue that stays as long as the interface: the kernel stops
/// an interface to take one away. Other filters there have a larger number than ``TrafficFilter/firstPriority`` and act behind them.
struct FilterPrograms: ~Copyable {
    private let socket: NetlinkSocket

    init(in namespace: Int32) throws(SystemError) { socket = try NetlinkSocket(in: namespace) }

    func set(_ program: borrowing LoadedProgram, on link: Int32, _ place: InterfacePrograms.Place) throws(SystemError) {
        try prepare(link)
        let there = try programs(on: link, place)
        let old = there.first { $0.name == program.name }?.priority
        let filter = TrafficFilter(
            place.direction, priority: old ?? (there.last?.priority ?? 0) + 1,
            .program(program.descriptor.number, name: program.name))
        do throws(SystemError) {
            try socket.send(.replace(program: program.descriptor.number, name: program.name, of: filter, on: link))
        } catch {
            throw FilterPrograms.explained(error)
        }
    }

    func remove(_ name: String, from link: Int32, _ place: InterfacePrograms.Place) throws(SystemError) {
        guard let old = try programs(on: link, place).first(where: { $0.name == name }) else { return }
        let filter = TrafficFilter(place.direction, priority: old.priority, .program(-1, name: name))
        try socket.send(.delete(filter, from: link))
    }

    func names(on link: Int32, _ place: InterfacePrograms.Place) throws(SystemError) -> [String] {
        try programs(on: link, place).map(\.name)
    }

    private func programs(
        on link: Int32, _ place: InterfacePrograms.Place
    ) throws(SystemError) -> [(name: String, priority: UInt16)] {
        // Where no such queue is, an older kernel has nothing to list, and a newer one an error.
        guard try queue(of: link) != nil else { return [] }
        return try socket.filters(of: link, place.direction).compactMap { filter in
            guard case .program(_, let name) = filter.action else { return nil }
            return (name, filter.priority)
        }
    }

    /// The kind of the queue that filters are at.
    private func queue(of link: Int32) throws(SystemError) -> String? {
        try socket.qdiscs(of: link).first { $0.parent == Qdisc.filters.parent }?.kind
    }

    func prepare(_ link: Int32) throws(SystemError) {
        let failure = try socket.outcomes(of: [.add(.filters, to: link)])[0]
        guard let failure else { return }
        if failure.code != EEXIST { throw FilterPrograms.explained(failure) }
        if try queue(of: link) == Qdisc.filters.name { return }
        throw SystemError(
            "put programs beside the queue ingress of the interface number \(link)", code: EEXIST,
            mend: "the interface has to have clsact instead: start the sandbox anew")
    }

    /// What neither way has been built for.
    private static func explained(_ error: SystemError) -> SystemError {
        guard error.code == ENOENT || error.code == EOPNOTSUPP else { return error }
        return SystemError(
            error.action, code: error.code,
            mend: "functions that are boxes need Linux 6.6, or CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF")
    }
}
