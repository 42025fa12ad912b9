import Addresses
import Glibc
import Kernel
import Profile

/// The network namespace of a process that sets the box up around itself, where it can go there and back.
enum OwnNetwork {
    /// Makes it, has its interfaces made from where the caller was, and stays in it.
    ///
    /// - Returns: the name servers that the networks told; `nil` where an ``Errand`` can have it done.
    static func enter(
        _ plan: LaunchPlan, _ pid: Int32, _ context: LaunchContext
    ) throws(LaunchError) -> [IPAddress]? {
        guard suits(plan), context.network >= 0 else { return nil }
        // Entering one's own asks for the permission to come back.
        if setns(context.network, Int32(CLONE_NEWNET)) != 0 { return nil }
        try attributed(to: "namespaces.unshare") { () throws(SystemError) in try unshareNamespaces(.net) }
        let made = try attributed(to: "network") { () throws(SystemError) in
            let made = try ownNetworkNamespace()
            try joinNamespace(context.network, .net, name: "before")
            return made
        }
        let nameServers = try context.attach(made.number, pid)
        try attributed(to: "network") { () throws(SystemError) in
            try joinNamespace(made.number, .net, name: "of the box")
        }
        return nameServers
    }

    /// Not where a user namespace is to own it, nor for a port with a process of its own, which is no child of the
    /// command's.
    private static func suits(_ plan: LaunchPlan) -> Bool {
        plan.isConnected && plan.interfaces.allSatisfy { $0.interface.switchName != nil }
            && plan.namespaces.unshare.contains(.net) && !plan.namespaces.unshare.contains(.user)
            && plan.namespaces.join.isEmpty
    }
}
