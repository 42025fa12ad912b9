import Profile
import Testing

@Suite("Sets of namespaces") struct NamespaceSetTests {
    @Test("they are what sets of the same kinds are", arguments: 0..<256)
    func algebra(number: Int) {
        let kinds = NamespaceKind.allCases
        func pick(_ bits: Int) -> [NamespaceKind] { kinds.indices.filter { bits >> $0 & 1 == 1 }.map { kinds[$0] } }
        let chosen = pick(number)
        let set = NamespaceSet(chosen)
        #expect(Array(set) == chosen)
        #expect(set.isEmpty == chosen.isEmpty && set.count == chosen.count)
        #expect(kinds.filter { set.contains($0) } == chosen)
        for other in [0, 5, 0x3c, 0xff] {
            let (a, b) = (Set(chosen), Set(pick(other)))
            let second = NamespaceSet(pick(other))
            #expect(Set(set.union(second)) == a.union(b))
            #expect(Set(set.intersection(second)) == a.intersection(b))
            #expect(Set(set.symmetricDifference(second)) == a.symmetricDifference(b))
            #expect(Set(set.subtracting(second)) == a.subtracting(b))
            #expect(set.isSubset(of: second) == a.isSubset(of: b))
        }
    }

    @Test("one kind comes and goes") func change() {
        var set: NamespaceSet = [.net]
        #expect(set.insert(.mount).inserted && !set.insert(.net).inserted)
        #expect(set.remove(.net) == .net && set.remove(.net) == nil)
        #expect(set == [.mount] && set.update(with: .mount) == .mount && set.update(with: .pid) == nil)
        #expect(Array(set) == [.mount, .pid])
    }
}
