import Glibc
import Kernel
public import Netlink

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
        var messages: [NetlinkMessage] = []
        for hook in hooks {
            messages += [
                .add(droppingChain: hook.name, table: table, .inet, hook: .number(hook.number), priority: -400),
                .add(rule: [.hasMark(mark), .accept], chain: hook.name, table: table, .inet),
            ]
        }
        let (first, again) = ([.add(table: table, .inet, isNew: true)] + messages, removal + messages)
        try attributed { () throws(SystemError) in
            let socket = try NetfilterSocket(in: namespace)
            // To take away what is not there would have the kernel wait until nobody can see it.
            do throws(SystemError) { try socket.commit(first) } catch {
                guard error.code == EEXIST else { throw error }
                try socket.commit(again)
            }
        }
    }

    /// Unlocks it; one that is not locked is no error.
    /// - Returns: what is to be kept until time does not matter: to close it waits until nobody in the kernel looks at the
    ///   lock any more, milliseconds.
    public static func unlock(_ namespace: Int32) throws(SwitchError) -> NetfilterSocket {
        try attributed { () throws(SystemError) in
            let socket = try NetfilterSocket(in: namespace)
            try socket.commit(Array(removal.dropLast()))
            return socket
        }
    }

    /// One that is missing is made first, since it is an error to delete it; and there is a table without rules then.
    private static var removal: [NetlinkMessage] {
        [.add(table: table, .inet), .delete(table: table, .inet), .add(table: table, .inet)]
    }
}
