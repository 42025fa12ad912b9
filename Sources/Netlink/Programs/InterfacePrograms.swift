public import Kernel

/// The programs of the interfaces of a network namespace: before all of nftables there. They go when the interface goes.
public struct InterfacePrograms: Sendable {
    public enum Place: UInt32, Sendable, CaseIterable {
        /// Where frames come in (BPF_TCX_INGRESS).
        case input = 46
        /// Where they leave (BPF_TCX_EGRESS).
        case output = 47

        var direction: TrafficFilter.Direction { self == .input ? .input : .output }
    }

    /// How the kernel keeps them. What becomes of frames is the same.
    public enum Way: Sendable, CaseIterable {
        /// In lists of their own, before all of tc(8) (tcx). Linux 6.6 is the first that has them.
        case lists
        /// As filters of tc(8) (clsact, cls_bpf with direct-action).
        case filters

        /// What this kernel has.
        public static let ofKernel: Way = Pretence.lacks("tcx") || !ListedPrograms.areKnown ? .filters : .lists
    }

    /// A descriptor of the network namespace.
    private let namespace: Int32
    private let way: Way

    public init(in namespace: Int32, by way: Way = .ofKernel) { (self.namespace, self.way) = (namespace, way) }

    /// Makes what the first program of an interface needs. While the interface is up that loses what is being sent.
    public func prepare(_ link: Int32) throws(SystemError) {
        if way == .filters { try FilterPrograms(in: namespace).prepare(link) }
    }

    /// Puts a program in the place of the one of the same name, with no frame between the two; or behind all others.
    public func set(_ program: borrowing LoadedProgram, on link: Int32, _ place: Place) throws(SystemError) {
        switch way {
        case .lists: try ListedPrograms(in: namespace).set(program, on: link, place)
        case .filters: try FilterPrograms(in: namespace).set(program, on: link, place)
        }
    }

    /// Takes the program of that name away; none is no error.
    public func remove(_ name: String, from link: Int32, _ place: Place) throws(SystemError) {
        switch way {
        case .lists: try ListedPrograms(in: namespace).remove(name, from: link, place)
        case .filters: try FilterPrograms(in: namespace).remove(name, from: link, place)
        }
    }

    /// The names of the programs there, in the order in which they act.
    public func names(on link: Int32, _ place: Place) throws(SystemError) -> [String] {
        switch way {
        case .lists: try ListedPrograms(in: namespace).names(on: link, place)
        case .filters: try FilterPrograms(in: namespace).names(on: link, place)
        }
    }
}
