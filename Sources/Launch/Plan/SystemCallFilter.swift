import Kernel
import Profile

/// Puts the profile's system call rules and the built-in ones together.
struct SystemCallFilter {
    private let plan: LaunchPlan

    init(_ plan: LaunchPlan) { self.plan = plan }

    /// The filter, nil when nothing is refused. The first rule that matches decides, so protections come first.
    func filter() throws(LaunchError) -> SeccompFilter? {
        var filter = SeccompFilter()
        if plan.guardsTerminal { filter.rules += SeccompFilter.terminalInjectionRules }
        if plan.security.userNamespaces == .deny { filter.rules += SeccompFilter.noUserNamespacesRules }
        if plan.hidesNoFrames { filter.rules += SeccompFilter.noHiddenFramesRules }
        if plan.isCheckpointable { filter.rules += SeccompFilter.checkpointRules }
        if let wanted = plan.security.seccomp {
            let refusal = try action(wanted.action, "security.seccomp.action")
            for (index, rule) in wanted.rules.enumerated() {
                filter.rules.append(
                    .init(
                        rule.calls, try action(rule.action, "security.seccomp.rules[\(index)].action"),
                        rule.conditions.map(condition)))
            }
            if !wanted.deny.isEmpty { filter.rules.append(.init(wanted.deny, refusal)) }
            if !wanted.allow.isEmpty { filter.rules.append(.init(wanted.allow, .allow)) }
            if refusal == .allow, wanted.default == .deny || !wanted.deny.isEmpty {
                throw LaunchError(
                    key: "security.seccomp.action", "\"allow\" denies nothing", mend: "use an errno name, kill or log")
            }
            if wanted.default == .deny { filter.defaultAction = refusal }
            filter.architectures = wanted.architectures
        }
        return filter == SeccompFilter() ? nil : filter
    }

    private func condition(_ condition: Profile.SeccompCondition) -> SeccompFilter.Condition {
        let comparison: SeccompFilter.Condition.Comparison =
            switch condition.comparison {
            case .equal: .equal
            case .notEqual: .notEqual
            case .less: .less
            case .lessOrEqual: .lessOrEqual
            case .greater: .greater
            case .greaterOrEqual: .greaterOrEqual
            case .maskedEqual: .maskedEqual
            }
        return .init(condition.argument, comparison, condition.value, mask: condition.mask ?? .max)
    }

    private func action(_ action: Profile.SeccompAction, _ key: String) throws(LaunchError) -> SeccompFilter.Action {
        switch action {
        case .allow: return .allow
        case .kill: return .killProcess
        case .log: return .log
        case .trap: return .trap
        case .errno(let text):
            if let number = Int32(text) { return .errno(number) }
            if let number = errorNumber(text) { return .errno(number) }
            throw LaunchError(key: key, "\"\(text)\" is no errno name", mend: "use a name of errno(3), such as EPERM")
        }
    }
}
