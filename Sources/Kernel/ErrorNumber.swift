import Glibc

/// The names of errno(3).
public enum ErrorNumber {
    /// The value behind a name such as `EPERM`; nil for what is none.
    public static func named(_ name: String) -> Int32? {
        for number: Int32 in 1..<134 {
            guard let text = strerrorname_np(number) else { continue }
            if String(cString: text) == name { return number }
        }
        return nil
    }
}
