import Glibc
public import Kernel

/// Creates a network interface of this kind in the caller's network namespace (rtnetlink(7), RTM_NEWLINK).
///
/// `over` names the interface that a macvlan sits on.
public func createLink(kind: String, name: String, over parent: String? = nil) throws(SystemError) {
    let socket = try NetlinkSocket()
    var made = LinkKind.plain(kind)
    if kind == "macvlan", let parent {
        guard let link = try socket.link(.name(parent)) else {
            throw SystemError("create the interface \(name) (\(kind)) over \(parent)", code: ENODEV)
        }
        made = .macvlan(parent: link.index)
    }
    try socket.send(.create(LinkSpec(LinkOptions(name), made)))
}
