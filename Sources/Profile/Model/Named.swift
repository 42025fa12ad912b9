/// Values by name, in the order of the names.
///
/// It stands where a dictionary would: making a dictionary's type at run time looks its key's conformances up in
/// everything that is linked in, a tenth of a millisecond on the launch path.
public struct Named<Element>: ExpressibleByDictionaryLiteral {
    @inlinable public var entries: [(key: String, value: Element)] { list }
    @usableFromInline var list: [(key: String, value: Element)] = []

    @inlinable public init(dictionaryLiteral elements: (String, Element)...) {
        for (key, value) in elements { self[key] = value }
    }

    @inlinable public var isEmpty: Bool { list.isEmpty }

    @inlinable public subscript(key: String) -> Element? {
        get { list.first { $0.key == key }?.value }
        set {
            let index = list.firstIndex { $0.key >= key } ?? list.endIndex
            if index < list.endIndex, list[index].key == key { list.remove(at: index) }
            if let newValue { list.insert((key, newValue), at: index) }
        }
    }
}

extension Named: Sendable where Element: Sendable {}

extension Named: Equatable where Element: Equatable {
    public static func == (left: Self, right: Self) -> Bool {
        left.entries.elementsEqual(right.entries) { $0.key == $1.key && $0.value == $1.value }
    }
}
