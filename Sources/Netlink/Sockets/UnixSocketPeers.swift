import CNetlink
import Glibc
public import Kernel

/// The other ends of the connected UNIX sockets of the network namespace behind a descriptor, by inode (sock_diag(7)).
public func unixSocketPeers(in namespace: Int32) throws(SystemError) -> [UInt32: UInt32] {
    let socket = try NetlinkSocket(in: namespace, protocol: NETLINK_SOCK_DIAG)
    let message = NetlinkMessage("ask for UNIX sockets", 20)  // SOCK_DIAG_BY_FAMILY
    var request = unix_diag_req()
    request.sdiag_family = UInt8(AF_UNIX)
    request.udiag_states = .max
    request.udiag_show = UInt32(UDIAG_SHOW_PEER)
    message.header(request)
    var peers: [UInt32: UInt32] = [:]
    try socket.dump(message, reset: { peers = [:] }) { reply in
        guard let found = reply.header(unix_diag_msg.self),
            let peer = reply.attributes(after: unix_diag_msg.self).number(2, as: UInt32.self)  // UNIX_DIAG_PEER
        else { return }
        peers[found.udiag_ino] = peer
    }
    return peers
}
