import CNetlink
import Glibc
public import Kernel

/// Creates a network interface of this kind in the caller's network namespace (rtnetlink(7), RTM_NEWLINK).
///
/// `over` names the interface that a macvlan sits on.
public func createLink(kind: String, name: String, over parent: String? = nil) throws(SystemError) {
    let action = "create the interface \(name) (\(kind))"
    guard let socket = nl_socket_alloc(), let link = rtnl_link_alloc() else {
        throw SystemError(action, code: ENOMEM)
    }
    defer {
        rtnl_link_put(link)
        nl_socket_free(socket)
    }
    try netlink(action, nl_connect(socket, NETLINK_ROUTE))
    try netlink(action, rtnl_link_set_type(link, kind))
    rtnl_link_set_name(link, name)
    if let parent {
        let index = if_nametoindex(parent)
        if index == 0 { throw SystemError(action, code: errno) }
        rtnl_link_set_link(link, Int32(index))
    }
    try netlink(action, rtnl_link_add(socket, link, NLM_F_CREATE | NLM_F_EXCL))
}

/// libnl's negative error numbers (netlink/errno.h) as errno(3) values, for those that a request can meet.
func netlink(_ action: String, _ result: Int32) throws(SystemError) {
    if result >= 0 { return }
    let code: Int32 =
        switch -result {
        case NLE_PERM, NLE_NOACCESS: EPERM
        case NLE_OPNOTSUPP, NLE_PROTO_MISMATCH, NLE_AF_NOSUPPORT: EOPNOTSUPP
        case NLE_EXIST: EEXIST
        case NLE_NODEV, NLE_OBJ_NOTFOUND: ENODEV
        case NLE_NOMEM: ENOMEM
        case NLE_INVAL: EINVAL
        default: EIO
        }
    throw SystemError(action, code: code)
}
