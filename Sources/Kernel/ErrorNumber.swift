import Glibc

/// The errno(3) value of a name such as `EPERM`; nil when there is none.
public func errorNumber(_ name: String) -> Int32? {
    // Two names of other values' numbers, which the C library does not list.
    switch name {
    case "EWOULDBLOCK": return EAGAIN
    case "EDEADLOCK": return EDEADLK
    case "ENOTSUP": return EOPNOTSUPP
    default: break
    }
    for number: Int32 in 1..<134 {
        guard let known = strerrorname_np(number) else { continue }
        if strcmp(known, name) == 0 { return number }
    }
    return nil
}
