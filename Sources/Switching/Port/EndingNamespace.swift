import Glibc
import Kernel

/// What a box has of the kernel's is free when its network namespace is gone, a moment after the last process in it.
enum EndingNamespace {
    /// Does what is refused for as long as a namespace that goes has what is asked for: for 5 s at most.
    ///
    /// - Parameter mayGo: whether an error may be one of these, rather than for good.
    /// - Throws: the last error.
    static func outlast<Result>(
        where mayGo: (SystemError) throws(SystemError) -> Bool, _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        for _ in 0..<250 {
            do throws(SystemError) {
                return try body()
            } catch {
                guard try mayGo(error) else { throw error }
            }
            usleep(20_000)
        }
        return try body()
    }
}
