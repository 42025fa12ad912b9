import Kernel
import Netlink

/// Keeps all packets out of and in a network namespace while its sockets are saved or put back: a packet for a
/// connection whose socket is not there yet would be answered with a reset. The kernel is told without nft(8), whose
/// start takes longer than all of it, while the application stands still.
public enum NetworkLock {
    /// What CRIU marks its own packets with.
    private static let mark: UInt32 = 0xc114
    private static let table = "sandbox-lock"
    /// NF_INET_LOCAL_IN and NF_INET_LOCAL_OUT.
    private static let hooks: [(name: String, number: UInt32)] = [("input", 1), ("output", 3)]

    /// Locks the namespace behind a descriptor, or locks it anew.
    public static func lock(_ namespace: Int32) throws(SwitchError) {
        var messages = removal + [.add(table: table, .inet)]
        for hook in hooks {
            messages += [
                .add(droppingChain: hook.name, table: table, .inet, hook: hook.number, priority: -400),
                .add(rule: [.hasMark(mark), .accept], chain: hook.name, table: table, .inet),
            ]
        }
        try commit(messages, namespace)
    }

    /// Unlocks it; one that is not locked is no error.
    public static func unlock(_ namespace: Int32) throws(SwitchError) { try commit(removal, namespace) }

    /// One that is missing is made first, since it is an error to delete it.
    private static var removal: [NetlinkMessage] { [.add(table: table, .inet), .delete(table: table, .inet)] }

    private static func commit(_ messages: [NetlinkMessage], _ namespace: Int32) throws(SwitchError) {
        try attributed { () throws(SystemError) in try NetfilterSocket(in: namespace).commit(messages) }
    }
}
