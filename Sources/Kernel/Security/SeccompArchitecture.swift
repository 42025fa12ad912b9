import CSeccomp

/// A calling convention that a filter tells apart: AUDIT_ARCH_* of linux/audit.h, and for x32 a bit of the number.
struct SeccompArchitecture: Sendable, Equatable {
    let name: StaticString
    /// SCMP_ARCH_* of seccomp.h.
    let token: UInt32
    /// What `seccomp_data.arch` holds.
    let audit: UInt32
    /// Set in every call number of x32.
    let numberBit: UInt32

    static func == (left: Self, right: Self) -> Bool { left.token == right.token }

    /// Arguments are 32 bits wide.
    var isNarrow: Bool { token & 0x8000_0000 == 0 }
    /// Sockets and System V IPC have a multiplexing call beside calls of their own.
    var multiplexes: Bool { token == Self.x86.token }

    static let x64 = SeccompArchitecture(name: "x86_64", token: 0xc000_003e, audit: 0xc000_003e, numberBit: 0)
    static let x86 = SeccompArchitecture(name: "x86", token: 0x4000_0003, audit: 0x4000_0003, numberBit: 0)
    static let x32 = SeccompArchitecture(name: "x32", token: 0x4000_003e, audit: 0xc000_003e, numberBit: 0x4000_0000)
    static let aarch64 = SeccompArchitecture(name: "aarch64", token: 0xc000_00b7, audit: 0xc000_00b7, numberBit: 0)
    static let arm = SeccompArchitecture(name: "arm", token: 0x4000_0028, audit: 0x4000_0028, numberBit: 0)
    static let riscv64 = SeccompArchitecture(name: "riscv64", token: 0xc000_00f3, audit: 0xc000_00f3, numberBit: 0)
    static let known = [x64, x86, x32, aarch64, arm, riscv64]

    /// All conventions of the machine, its own first.
    static func ofMachine() throws(SeccompError) -> [SeccompArchitecture] {
        switch seccomp_arch_native() {
        case x64.token: return [x64, x86, x32]
        case aarch64.token: return [aarch64, arm]
        case let token:
            for one in known where one.token == token { return [one] }
            throw .unknownArchitecture("native")
        }
    }

    /// The conventions named, the machine's own first and each once.
    static func select(_ names: [String]) throws(SeccompError) -> [SeccompArchitecture] {
        let machine = try ofMachine()
        if names.isEmpty { return machine }
        var chosen: [SeccompArchitecture] = []
        for name in names {
            let one = name == "native" ? machine.first : known.first { $0.name.matches(name) }
            guard let one else { throw .unknownArchitecture(name) }
            if !chosen.contains(one) { chosen.append(one) }
        }
        return chosen
    }
}

extension StaticString {
    /// Whether both hold the same bytes.
    func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            bytes.elementsEqual(UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount))
        }
    }
}
