/// One thing to be done on the way from one chain to another.
public enum SteeringStep: Sendable, Equatable {
    /// Puts a rule in the place of the one there, with no frame between the two.
    case set(SteeringPoint, SteeringRule)
    /// Waits until what is on its way by the old chain has arrived.
    case settle
    /// Takes the rule away: the chain has no function left.
    case clear(SteeringPoint)
}

/// How a chain becomes another one while traffic flows.
public enum Steering {
    /// The steps, in order. New rules are set from each direction's end to its beginning: who comes to a point that has
    /// its new rule finds new rules only from there on, so that no frame is lost, goes in a circle or passes a function
    /// twice. Where functions are added, taken away or replaced, no frame misses one that is in both chains; where their
    /// order changes, one that is on its way just then can.
    ///
    /// - Parameter trusts: whether `old` is in force for sure; if not, all rules are set.
    public static func steps(from old: ChainPath, to new: ChainPath, trusts: Bool = true) -> [SteeringStep] {
        let known =
            trusts ? Dictionary(uniqueKeysWithValues: old.rules.toSwitch + old.rules.toApplication) : [:]
        // Without functions nothing has been there.
        let ports: [SteeringPoint] = [.input(old.port), .output(old.port)]
        var steps: [SteeringStep] = []
        for direction in [new.rules.toSwitch, new.rules.toApplication] {
            for (point, rule) in direction.reversed() {
                let isThere = !(old.hops.isEmpty && ports.contains(point))
                if isThere, known[point] == rule { continue }
                if !isThere, new.hops.isEmpty { continue }
                steps.append(.set(point, rule))
            }
        }
        let left = old.ends.subtracting(new.ends).sorted { $0.link < $1.link }
        let isOver = new.hops.isEmpty && !old.hops.isEmpty
        if left.isEmpty, !isOver { return steps }
        steps.append(.settle)
        steps += left.map { .set($0, .closed) }
        if isOver { steps += ports.map { .clear($0) } }
        return steps
    }
}
