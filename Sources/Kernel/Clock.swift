import CLinux
import Glibc

/// Milliseconds of a clock that nobody sets (clock_gettime(2), CLOCK_MONOTONIC).
public func monotonicMilliseconds() -> Int { monotonicMicroseconds() / 1000 }

/// Microseconds of the same clock.
public func monotonicMicroseconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}
