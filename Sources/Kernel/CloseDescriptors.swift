import CLinux
import Glibc

/// Closes every descriptor but those named, negative numbers aside.
public func closeDescriptors(keeping kept: [Int32]) {
    var next: UInt32 = 0
    for number in kept.sorted() where number >= 0 {
        if UInt32(number) > next { _ = linux_close_range(next, UInt32(number) - 1, 0) }
        next = UInt32(number) + 1
    }
    _ = linux_close_range(next, UInt32.max, 0)
}
