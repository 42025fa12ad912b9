import Addresses
import CLinux
import Glibc
import Kernel

/// Which addresses of a switch to try next. Whether one is taken the kernel alone knows: see ``FabricName/lease(_:)``.
struct AddressPool {
    let subnets: [IPPrefix]

    /// How many ports the smallest of the subnets can address, the switch itself left out.
    var size: UInt64 {
        var size: UInt64?
        for subnet in subnets { size = min(size ?? .max, UInt64(clamping: subnet.hostCount)) }
        return size ?? 0
    }

    /// The addresses of the host number `n`, one of each subnet; `nil` where one of them is the switch's own.
    func addresses(_ n: UInt64) -> [IPPrefix]? {
        var addresses: [IPPrefix] = []
        for subnet in subnets {
            guard let address = subnet.host(UInt128(n)), address != subnet.address,
                let prefix = IPPrefix(address, length: subnet.length)
            else { return nil }
            addresses.append(prefix)
        }
        return addresses
    }

    func usedUp(_ spec: SwitchSpec) -> SwitchError {
        SwitchError(
            key: "address", "the switch \"\(spec.name)\" has no address left: all of \(size) are taken",
            mend: "delete sandboxes, or make a switch with a larger subnet")
    }
}

extension SwitchError {
    /// - Parameter owner: the sandbox that has the address, `-` for one without a name; nil where that cannot be told.
    static func taken(_ address: IPAddress, by owner: String?) -> SwitchError {
        let who = owner.map { $0 == "-" ? "by a sandbox without a name" : "by the sandbox \"\($0)\"" } ?? "already"
        return SwitchError(key: "address", "\(address) is taken \(who)", mend: "take another, or \"auto\"")
    }

    /// By another interface on the device, or the device itself.
    static func taken(_ mac: MACAddress) -> SwitchError {
        SwitchError(key: "mac", "\(mac) is taken on its device already", mend: "take another, or \"auto\"")
    }
}

/// Numbers in a file that say where to go on: addresses that became free rest until the others have been used.
struct Cursor: ~Copyable {
    private let file: Descriptor

    init(_ folder: borrowing StateFolder) throws(SystemError) {
        file = try folder.open(File.next, O_RDWR | O_CREAT)
    }

    /// The number, and one more for the next who asks. Two may get the same: then the kernel lets one of them win.
    func advance() throws(SystemError) -> UInt64 {
        let number = try read(0)
        try set(number &+ 1)
        return number
    }

    func set(_ number: UInt64) throws(SystemError) { try write(number, 0) }

    /// The bridge that took the last port: see ``BridgeStar``.
    func bridge() throws(SystemError) -> Int { Int(truncatingIfNeeded: try read(8) & 0xFFFF) }

    func set(bridge: Int) throws(SystemError) { try write(UInt64(bridge), 8) }

    private func read(_ place: off_t) throws(SystemError) -> UInt64 {
        var number: UInt64 = 0
        let descriptor = file.number
        try check("read where to go on") { Int32(pread(descriptor, &number, 8, place)) }
        return number
    }

    private func write(_ number: UInt64, _ place: off_t) throws(SystemError) {
        var number = number
        let descriptor = file.number
        try check("write where to go on") { Int32(pwrite(descriptor, &number, 8, place)) }
    }
}
