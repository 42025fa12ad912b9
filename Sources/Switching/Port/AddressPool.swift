import Addresses
import CLinux
import Glibc
import Kernel

/// Which addresses of a switch to try next. Whether one is taken the kernel alone knows: see ``FabricName/lease(_:)``.
struct AddressPool {
    let subnets: [IPPrefix]

    /// How many ports the smallest of the subnets can address, the switch itself left out.
    var size: UInt64 {
        subnets.map { UInt64(clamping: $0.hostCount) }.min() ?? 0
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
}

/// A number in a file that says where to go on: addresses that became free rest until the others have been used.
struct Cursor: ~Copyable {
    private let file: Descriptor

    init(_ folder: borrowing StateFolder) throws(SystemError) {
        file = try folder.open(File.next, O_RDWR | O_CREAT)
    }

    /// The number, and one more for the next who asks. Two may get the same: then the kernel lets one of them win.
    func advance() throws(SystemError) -> UInt64 {
        var number: UInt64 = 0
        let descriptor = file.number
        try check("read where to go on") { Int32(pread(descriptor, &number, 8, 0)) }
        try set(number &+ 1)
        return number
    }

    func set(_ number: UInt64) throws(SystemError) {
        var number = number
        let descriptor = file.number
        try check("write where to go on") { Int32(pwrite(descriptor, &number, 8, 0)) }
    }
}
