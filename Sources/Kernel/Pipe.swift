import Glibc

/// The two ends of a close-on-exec pipe (pipe2(2)).
public func makePipe(_ action: String) throws(SystemError) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    try check(action) { pipe2(&ends, O_CLOEXEC) }
    return (ends[0], ends[1])
}

/// Calls `body` with `strings` as a C array that ends with a null pointer.
public func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var copies: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    copies.append(nil)
    defer { for copy in copies { free(copy) } }
    return body(copies)
}
