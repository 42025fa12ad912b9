/// Keeps all packets out of and in a network namespace while its sockets are saved or put back: a packet for a
/// connection whose socket is not there yet would be answered with a reset.
public enum NetworkLock {
    /// What CRIU marks its own packets with.
    private static let mark = "0xc114"
    private static let table = "inet sandbox-lock"

    /// Locks the namespace behind a descriptor, or locks it anew.
    public static func lock(_ namespace: Int32) throws(SwitchError) {
        var rules = "add table \(table)\ndelete table \(table)\nadd table \(table)\n"
        for hook in ["input", "output"] {
            rules += "add chain \(table) \(hook) { type filter hook \(hook) priority -400; policy drop; }\n"
            rules += "add rule \(table) \(hook) meta mark \(mark) accept\n"
        }
        try nft(rules, namespace)
    }

    /// Unlocks it; one that is not locked is no error.
    public static func unlock(_ namespace: Int32) throws(SwitchError) {
        try nft("add table \(table)\ndelete table \(table)\n", namespace)
    }

    private static func nft(_ rules: String, _ namespace: Int32) throws(SwitchError) {
        try Program("nft", package: "nftables").run(["-f", "-"], input: rules, in: namespace)
    }
}
