import CLinux
import Glibc
import Kernel
import Netlink

/// Renews a box's leases while the box runs, and gives them back afterwards: a process beside the box that is nobody,
/// sees no file, and may do nothing but speak to servers and set addresses. The kernel takes an address away when its
/// lease has run out.
struct LeaseKeeper {
    let client: DHCPClient
    let box: BoxReference
    var lease: DynamicLease?
    var lease6: DynamicLease6?

    /// Gives the interface its addresses, and stays.
    func start(_ inside: borrowing NetlinkSocket) throws(SwitchError) {
        try attributed(to: "address") { () throws(SystemError) in
            if let lease { try inside.send(.add(Renewal.address(lease, client))) }
            if let lease6 { try inside.send(.add(Renewal6.address(lease6, client.link))) }
        }
        // Those that never end are given back all the same.
        var work: Renewal?
        var work6: Renewal6?
        try Guardian(box, kept: [box.namespace]).start(
            { () throws(SwitchError) in
                try attributed(to: "address") { () throws(SystemError) in
                    if let lease { work = try Renewal(client, lease) }
                    if let lease6 { work6 = try Renewal6(DHCPv6Client(client), lease6) }
                }
                try LeaseKeeper.confine()
                return -1
            }, meanwhile: { LeaseKeeper.sooner(work?.work() ?? -1, work6?.work() ?? -1) }
        ) {
            work?.release()
            work6?.release()
            // What is on its way to a neighbour not asked for yet goes with the namespace.
            usleep(20_000)
        }
    }

    /// Of two waits in milliseconds, -1 being for ever.
    private static func sooner(_ one: Int32, _ other: Int32) -> Int32 {
        one < 0 ? other : other < 0 ? one : min(one, other)
    }

    /// Gives away what it does not need. It speaks to strangers.
    private static func confine() throws(SwitchError) {
        try attributed(to: "address") { () throws(SystemError) in
            let nothing = try MountTree(
                new: "tmpfs", [("size", "4k")], attributes: [.readOnly, .nosuid, .nodev, .noexec],
                action: "make an empty root directory")
            let number = nothing.descriptor.number
            try check("enter an empty root directory") { fchdir(number) }
            try check("stay in an empty root directory") { chroot(".") }
            var state = CapabilityState()
            (state.permitted, state.effective) = ([.netAdmin], [.netAdmin])
            let held = try CapabilityState.current()
            state.securebits = held.securebits
            try applyCredentials(Credentials(uid: 65534, gid: 65534), state, over: held)
            try noNewPrivileges()
        }
        let program: SeccompProgram
        do throws(SeccompError) {
            program = try LeaseKeeper.calls.compile()
        } catch {
            throw SwitchError(key: "address", error.message)
        }
        try attributed(to: "address") { () throws(SystemError) in try program.install() }
    }

    /// Sockets that are open, the time, memory and the end. `@default` goes without saying, in which is execve(2).
    private static let calls = SeccompFilter(
        defaultAction: .errno(EPERM),
        rules: [
            .init(["execve", "prlimit64"], .errno(EPERM)),
            .init(
                [
                    "poll", "ppoll", "recvfrom", "recvmsg", "sendto", "sendmsg", "read", "write", "close", "madvise",
                    "mremap",
                ], .allow),
        ], architectures: ["native"])
}
