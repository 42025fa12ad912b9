/// Kinds of namespaces. Every launch makes such sets: one is a number, where a `Set` is memory, hashes and types.
public struct NamespaceSet: SetAlgebra, Sequence, Sendable, Hashable {
    private var bits: UInt8 = 0

    public init() {}

    private init(bits: UInt8) { self.bits = bits }

    private static func bit(_ kind: NamespaceKind) -> UInt8 {
        switch kind {
        case .user: 1
        case .mount: 2
        case .pid: 4
        case .net: 8
        case .ipc: 16
        case .uts: 32
        case .cgroup: 64
        case .time: 128
        }
    }

    public var count: Int { bits.nonzeroBitCount }

    public func contains(_ kind: NamespaceKind) -> Bool { bits & NamespaceSet.bit(kind) != 0 }

    /// In the order of ``NamespaceKind/allCases``.
    public func makeIterator() -> IndexingIterator<[NamespaceKind]> {
        NamespaceKind.allCases.filter { contains($0) }.makeIterator()
    }

    @discardableResult
    public mutating func insert(_ kind: NamespaceKind) -> (inserted: Bool, memberAfterInsert: NamespaceKind) {
        defer { bits |= NamespaceSet.bit(kind) }
        return (!contains(kind), kind)
    }

    @discardableResult
    public mutating func update(with kind: NamespaceKind) -> NamespaceKind? { insert(kind).inserted ? nil : kind }

    @discardableResult
    public mutating func remove(_ kind: NamespaceKind) -> NamespaceKind? {
        defer { bits &= ~NamespaceSet.bit(kind) }
        return contains(kind) ? kind : nil
    }

    public func union(_ other: NamespaceSet) -> NamespaceSet { NamespaceSet(bits: bits | other.bits) }
    public func intersection(_ other: NamespaceSet) -> NamespaceSet { NamespaceSet(bits: bits & other.bits) }
    public func symmetricDifference(_ other: NamespaceSet) -> NamespaceSet { NamespaceSet(bits: bits ^ other.bits) }

    public mutating func formUnion(_ other: NamespaceSet) { self = union(other) }
    public mutating func formIntersection(_ other: NamespaceSet) { self = intersection(other) }
    public mutating func formSymmetricDifference(_ other: NamespaceSet) { self = symmetricDifference(other) }
}
