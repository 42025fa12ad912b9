import CCapability
import CLinux
import Glibc

/// The five capability sets and the securebits of a thread, exact (capabilities(7)).
public struct CapabilityState: Sendable, Equatable {
    public var effective: CapabilitySet = []
    public var permitted: CapabilitySet = []
    public var inheritable: CapabilitySet = []
    public var bounding: CapabilitySet = []
    public var ambient: CapabilitySet = []
    public var securebits: SecureBits = []

    /// No capability at all.
    public init() {}

    /// What the calling thread holds.
    public static func current() throws(SystemError) -> CapabilityState {
        var state = CapabilityState()
        guard let own = cap_get_proc() else { throw SystemError("read the capabilities", code: errno) }
        defer { cap_free(UnsafeMutableRawPointer(own)) }
        for capability in (0..<UInt8(clamping: cap_max_bits())).lazy.map({ Capability(number: $0) }) {
            let bit = CapabilitySet(capability)
            let value = cap_value_t(capability.number)
            func has(_ flag: cap_flag_t) throws(SystemError) -> Bool {
                var held = CAP_CLEAR
                try check("read the capabilities") { cap_get_flag(own, value, flag, &held) }
                return held == CAP_SET
            }
            if try has(CAP_EFFECTIVE) { state.effective = state.effective.union(bit) }
            if try has(CAP_PERMITTED) { state.permitted = state.permitted.union(bit) }
            if try has(CAP_INHERITABLE) { state.inheritable = state.inheritable.union(bit) }
            if cap_get_bound(value) == 1 { state.bounding = state.bounding.union(bit) }
            // The ambient set is a part of the inheritable one.
            if state.inheritable.contains(capability), cap_get_ambient(value) == 1 {
                state.ambient = state.ambient.union(bit)
            }
        }
        let bits = try check("read the securebits") { linux_prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) }
        state.securebits = SecureBits(rawValue: bits)
        return state
    }

    /// Whether the calling thread may use one.
    public static func holds(_ capability: Capability) throws(SystemError) -> Bool {
        guard let own = cap_get_proc() else { throw SystemError("read the capabilities", code: errno) }
        defer { cap_free(UnsafeMutableRawPointer(own)) }
        var held = CAP_CLEAR
        try check("read the capabilities") {
            cap_get_flag(own, cap_value_t(capability.number), CAP_EFFECTIVE, &held)
        }
        return held == CAP_SET
    }

    /// Throws when the kernel would refuse the state, or would quietly give less, to a thread that holds `held`.
    public func validate(against held: CapabilityState) throws(SystemError) {
        func require(
            _ wanted: CapabilitySet, in limit: CapabilitySet, _ action: String, _ mend: String
        ) throws(SystemError) {
            guard let first = wanted.subtracting(limit).members.first else { return }
            throw SystemError("\(action) CAP_\(first.name)", code: EPERM, mend: mend)
        }
        try require(permitted, in: held.permitted, "permit", "the caller does not hold it")
        try require(bounding, in: held.bounding, "keep in the bounding set", "the caller's own lacks it")
        try require(effective, in: permitted, "make effective", "add it to the permitted set")
        try require(ambient, in: permitted, "make ambient", "add it to the permitted set")
        try require(ambient, in: inheritable, "make ambient", "add it to the inheritable set")
        try require(
            inheritable, in: held.inheritable.union(bounding), "make inheritable", "add it to the bounding set")
        if !held.effective.contains(.setpcap) {
            try require(
                inheritable, in: held.inheritable.union(held.permitted), "make inheritable", "it needs CAP_SETPCAP")
            try require(
                held.bounding.intersection(.ofKernel), in: bounding, "drop from the bounding set",
                "it needs CAP_SETPCAP; leave the bounding set as it is")
            if securebits != held.securebits {
                throw SystemError("set the securebits", code: EPERM, mend: "it needs CAP_SETPCAP")
            }
        }
    }
}

/// Whom a process is to be.
public struct Credentials: Sendable, Equatable {
    public var uid: UInt32
    public var gid: UInt32
    /// Supplementary groups; nil leaves them as they are (a user namespace may forbid setgroups(2)).
    public var groups: [UInt32]?

    public init(uid: UInt32, gid: UInt32, groups: [UInt32]? = []) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }
}

/// Makes the calling thread `credentials` with exactly the capabilities of `state`.
///
/// The order matters: the bounding set while CAP_SETPCAP is there; the ids with the permitted set kept over the change
/// (PR_SET_KEEPCAPS); then the three sets; then the ambient one; the securebits last but for dropping CAP_SETPCAP.
///
/// - Parameter held: what the thread holds now.
///
/// What execve(2) makes of the sets is capabilities(7)'s: for user 0 the bounding set comes back as permitted, unless
/// `noRoot` is set or new privileges are forbidden; for others only the ambient set stays.
public func applyCredentials(
    _ credentials: Credentials?, _ state: CapabilityState, over held: CapabilityState
) throws(SystemError) {
    try state.validate(against: held)
    if !held.ambient.isEmpty { try clearAmbient() }
    for capability in held.bounding.subtracting(state.bounding).members {
        try check("drop CAP_\(capability.name) from the bounding set") {
            cap_drop_bound(cap_value_t(capability.number))
        }
    }
    if let credentials { try change(to: credentials, held.securebits) }
    // CAP_SETPCAP, where held, stays to the last step; it has to be effective before the inheritable set may grow.
    var working = state
    working.permitted = working.permitted.union(held.permitted.intersection(CapabilitySet(.setpcap)))
    working.effective = working.permitted
    working.inheritable = held.inheritable
    if state.inheritable != held.inheritable { try setSets(working) }
    working.inheritable = state.inheritable
    try setSets(working)
    for capability in state.ambient.members {
        try check("make CAP_\(capability.name) ambient") {
            cap_set_ambient(cap_value_t(capability.number), CAP_SET)
        }
    }
    try setSecureBits(state.securebits)
    if working != state { try setSets(state) }
}

/// Sets supplementary groups, group ids and user ids, keeping the permitted capabilities.
private func change(to credentials: Credentials, _ securebits: SecureBits) throws(SystemError) {
    let keeps = securebits.contains(.keepCapabilities)
    if !keeps { try check("keep capabilities over the change of user") { linux_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) } }
    if let groups = credentials.groups {
        try check("set the supplementary groups") { linux_setgroups(groups.count, groups) }
    }
    let (uid, gid) = (credentials.uid, credentials.gid)
    try check("become group \(gid)") { setresgid(gid, gid, gid) }
    try check("become user \(uid)") { setresuid(uid, uid, uid) }
    if !keeps { try check("end keeping capabilities") { linux_prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) } }
}

private func setSets(_ state: CapabilityState) throws(SystemError) {
    guard let sets = cap_init() else { throw SystemError("set the capabilities", code: errno) }
    defer { cap_free(UnsafeMutableRawPointer(sets)) }
    for (flag, set) in [
        (CAP_EFFECTIVE, state.effective), (CAP_PERMITTED, state.permitted), (CAP_INHERITABLE, state.inheritable),
    ] where !set.isEmpty {
        let values = set.members.map { cap_value_t($0.number) }
        try check("set the capabilities") { cap_set_flag(sets, flag, Int32(values.count), values, CAP_SET) }
    }
    try check("set the capabilities") { cap_set_proc(sets) }
}

private func clearAmbient() throws(SystemError) {
    try check("clear the ambient capabilities") { cap_reset_ambient() }
}

private func setSecureBits(_ bits: SecureBits) throws(SystemError) {
    let held = try check("read the securebits") { linux_prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) }
    if held == bits.rawValue { return }
    try check("set the securebits") { linux_prctl(PR_SET_SECUREBITS, UInt(bits.rawValue), 0, 0, 0) }
}
