import CSeccomp

/// A system call's name as a C string in the caller's memory, and what it means on each architecture.
struct SyscallName {
    let pointer: UnsafePointer<CChar>

    /// A call's number on one architecture.
    enum Number: Equatable {
        case number(UInt32)
        /// Reached through socketcall(2) or ipc(2) by `operation`, and, where `direct` is not nil, by a number too.
        case multiplexed(through: Multiplexer, operation: UInt64, direct: UInt32?)
        /// The architecture has no such call.
        case absent
        case unknown
    }

    enum Multiplexer: Equatable { case socketcall, ipc }

    func number(on architecture: SeccompArchitecture) -> Number {
        let found = seccomp_syscall_resolve_name_arch(architecture.token, pointer)
        if found >= 0 { return .number(UInt32(found)) }
        if architecture.multiplexes {
            switch found {
            case -120 ... -101:
                return .multiplexed(through: .socketcall, operation: UInt64(-found - 100), direct: Self.direct(found))
            case -224 ... -201:
                return .multiplexed(through: .ipc, operation: UInt64(-found - 200), direct: Self.direct(found))
            default: break
            }
        }
        if let number = recent(on: architecture) { return .number(number | architecture.numberBit) }
        return found == -1 ? .unknown : .absent
    }

    /// Whether libseccomp or the table of recent calls knows the name for any architecture.
    var isKnown: Bool {
        if seccomp_syscall_resolve_name(pointer) != -1 { return true }
        return Self.recent.contains { matches($0.name) }
    }

    func matches(_ name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        for index in 0..<count where UInt8(bitPattern: pointer[index]) != name.utf8Start[index] { return false }
        return pointer[count] == 0
    }

    private func recent(on architecture: SeccompArchitecture) -> UInt32? {
        for one in Self.recent where matches(one.name) {
            return one.only64 && architecture.audit != SeccompArchitecture.x64.audit ? nil : one.number
        }
        return nil
    }

    /// Calls that Debian 12's libseccomp (2.5.4) does not know; from 424 on all architectures share the numbers.
    private static let recent: [(name: StaticString, number: UInt32, only64: Bool)] = [
        ("uretprobe", 335, true), ("uprobe", 336, true), ("set_mempolicy_home_node", 450, false),
        ("cachestat", 451, false), ("fchmodat2", 452, false), ("map_shadow_stack", 453, false),
        ("futex_wake", 454, false), ("futex_wait", 455, false), ("futex_requeue", 456, false),
        ("statmount", 457, false), ("listmount", 458, false), ("lsm_get_self_attr", 459, false),
        ("lsm_set_self_attr", 460, false), ("lsm_list_modules", 461, false), ("mseal", 462, false),
        ("setxattrat", 463, false), ("getxattrat", 464, false), ("listxattrat", 465, false),
        ("removexattrat", 466, false), ("open_tree_attr", 467, false), ("file_getattr", 468, false),
        ("file_setattr", 469, false), ("listns", 470, false), ("rseq_slice_yield", 471, false),
    ]

    /// The i386 numbers (since Linux 4.3 and 5.1) of calls that libseccomp gives as multiplexed ones.
    private static func direct(_ pseudo: Int32) -> UInt32? {
        switch pseudo {
        case -101: 359  // socket
        case -102: 361  // bind
        case -103: 362  // connect
        case -104: 363  // listen
        case -106: 367  // getsockname
        case -107: 368  // getpeername
        case -108: 360  // socketpair
        case -111: 369  // sendto
        case -112: 371  // recvfrom
        case -113: 373  // shutdown
        case -114: 366  // setsockopt
        case -115: 365  // getsockopt
        case -116: 370  // sendmsg
        case -117: 372  // recvmsg
        case -118: 364  // accept4
        case -119: 337  // recvmmsg
        case -120: 345  // sendmmsg
        case -202: 393  // semget
        case -203: 394  // semctl
        case -211: 400  // msgsnd
        case -212: 401  // msgrcv
        case -213: 399  // msgget
        case -214: 402  // msgctl
        case -221: 397  // shmat
        case -222: 398  // shmdt
        case -223: 395  // shmget
        case -224: 396  // shmctl
        default: nil
        }
    }
}

extension SyscallName {
    /// Throws when `name` is neither a group nor a system call of any architecture.
    static func check(_ name: String) throws(SeccompError) {
        if name.utf8.first == UInt8(ascii: "@") {
            if SyscallGroup.named(name) == nil { throw .unknownGroup(name, nearest: nearest(to: name)) }
        } else if !name.withCString({ SyscallName(pointer: $0).isKnown }) {
            throw .unknownCall(name, nearest: nearest(to: name))
        }
    }

    /// The known name that needs the fewest edits to become, at most a third of its length (two in short ones).
    private static func nearest(to name: String) -> String? {
        let wanted = Array(name.utf8)
        let isGroup = wanted.first == UInt8(ascii: "@")
        var best: (name: String, distance: Int)?
        func consider(_ candidate: String) {
            let distance = editDistance(wanted, Array(candidate.utf8))
            if distance <= max(min(2, wanted.count / 2), wanted.count / 3), distance < best?.distance ?? .max {
                best = (candidate, distance)
            }
        }
        for group in SyscallGroup.all {
            if isGroup { consider("\(group.name)") } else { group.forEachMember { consider(String(cString: $0)) } }
        }
        return best?.name
    }
}

extension SyscallGroup {
    static func named(_ name: String) -> SyscallGroup? { all.first { $0.name.matches(name) } }

    static func named(_ name: UnsafePointer<CChar>) -> SyscallGroup? {
        all.first { SyscallName(pointer: name).matches($0.name) }
    }

    /// Calls `body` with each member as a C string, groups included.
    func forEachMember<Failure: Error>(_ body: (UnsafePointer<CChar>) throws(Failure) -> Void) throws(Failure) {
        var name: [CChar] = []
        name.reserveCapacity(40)
        for byte in UnsafeBufferPointer(start: members.utf8Start, count: members.utf8CodeUnitCount + 1) {
            guard byte == 0x20 || byte == 0x0a || byte == 0 else {
                name.append(CChar(bitPattern: byte))
                continue
            }
            name.append(0)
            try name.withUnsafeBufferPointer { (buffer) throws(Failure) in
                if let start = buffer.baseAddress { try body(start) }
            }
            name.removeAll(keepingCapacity: true)
        }
    }
}

/// Levenshtein's distance of two short texts.
func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let above = row[j + 1]
            row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
            diagonal = above
        }
    }
    return row[right.count]
}
