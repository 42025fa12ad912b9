#if DEBUG
    import Glibc
#endif

/// What a debug build can be told to do without, so that tests see what becomes of it on kernels that lack it. In a
/// release build there is nothing of it.
///
/// `SANDBOX_WITHOUT=WORD,WORD` in the environment; the words are those of who asks here.
public enum Pretence {
    /// Whether the kernel is to be taken for one that lacks it.
    public static func lacks(_ word: String) -> Bool {
        #if DEBUG
            guard let words = getenv("SANDBOX_WITHOUT") else { return false }
            return String(cString: words).split(separator: ",").contains { $0 == word }
        #else
            return false
        #endif
    }
}
