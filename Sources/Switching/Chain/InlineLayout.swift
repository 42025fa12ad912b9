import Profile

/// Inline functions in a row: before a function that is a sandbox they have interfaces of their own, the last ones the
/// hooks of the port itself.
struct InlineSegment: Equatable {
    /// The hop towards the switch that is a sandbox; `nil`: the switch itself.
    var before: Int?
    var hops: [ChainPlan.Hop]
}

/// Where a chain's inline functions are.
///
/// A frame that a sandbox has passed comes in at the port anew, where its rules see it, and what is for the application
/// meets them first. What is to be passed before the sandbox, as the application sends it, has no such place: it is led
/// to an interface that exists for that, whose rules see it, and from there on.
struct InlineLayout: Equatable {
    var segments: [InlineSegment]

    var hops: [ChainPlan.Hop] {
        var known: Set<Int> = []
        return segments.flatMap(\.hops).filter { known.insert($0.id).inserted }
    }

    /// Those with interfaces of their own.
    var apart: [Int] { segments.compactMap(\.before) }

    /// What holds on the way from one layout to another: who is led by the old or by the new one misses no function that
    /// is in both. One that comes to another side of a sandbox is met twice rather than never.
    func joined(to new: InlineLayout) -> InlineLayout {
        var joined = new
        for (index, segment) in new.segments.enumerated() {
            guard let old = segments.first(where: { $0.before == segment.before }) else { continue }
            let moved = old.hops.filter { hop in
                !segment.hops.contains { $0.id == hop.id } && new.hops.contains { $0.id == hop.id }
            }
            joined.segments[index].hops = moved + segment.hops
        }
        let kept = Set(new.apart)
        joined.segments += segments.filter { segment in segment.before.map { !kept.contains($0) } ?? false }
        return joined
    }
}

extension ChainPlan {
    var layout: InlineLayout {
        var layout = InlineLayout(segments: [])
        var row: [Hop] = []
        for hop in hops {
            if !hop.hasBox {
                row.append(hop)
            } else if !row.isEmpty {
                layout.segments.append(InlineSegment(before: hop.id, hops: row))
                row = []
            }
        }
        layout.segments.append(InlineSegment(before: nil, hops: row))
        return layout
    }

    /// What frames of a port are led to: sandboxes, and interfaces with rules before them.
    ///
    /// - Parameter isPartial: whether some may have no interfaces yet; they are left out.
    func elements(port: String, on fabric: String, isPartial: Bool = false) throws(SwitchError) -> [ChainElement] {
        var elements: [ChainElement] = []
        let apart = Set(layout.apart)
        for hop in hops where hop.hasBox {
            if apart.contains(hop.id) {
                let ends = ChainDirection.allCases.map { FabricName.segment(port, hop.id, $0) }
                var element = ChainElement(
                    PortPair(
                        name: hop.function.name, switchName: fabric, inner: ends[0], outer: ends[1], takesAll: false))
                element.isInline = true
                elements.append(element)
            }
            guard let pair = hop.pair else {
                if isPartial { continue }
                throw SwitchError(key: "chain", "the function \"\(hop.function.reference)\" has no interfaces yet")
            }
            elements.append(
                ChainElement(
                    pair, failsOpen: hop.function.failure == .open,
                    classifier: try hop.classifier()))
        }
        return elements
    }
}

extension ChainPlan.Hop {
    /// What of the traffic is led to its sandbox.
    fileprivate func classifier() throws(SwitchError) -> Classifier? {
        guard let text = function.classifier else { return nil }
        let classifier = try Classifier(parsing: text)
        return function.placement == .proxy ? ProxyProgram.leading(classifier) : classifier
    }
}

extension FabricName {
    /// Where rules hold that stand before a function of the port's chain.
    static func segment(_ port: String, _ hop: Int, _ direction: ChainDirection) -> String {
        "\(segments(port))\(hop)\(direction.rawValue)"
    }

    /// How those of a port begin.
    static func segments(_ port: String) -> String { "i\(port.dropFirst())-" }
}
