import Glibc
import Kernel
import Netlink
import Profile

extension SwitchStore {
    /// Has frames for ports' addresses go to the ports, which nobody can take away, or wherever frames come from that have
    /// them: of a sandbox that goes on at another host of the same switch while it stands still here.
    public func hold(_ ports: [Port], isHere: Bool) throws(SwitchError) {
        for port in ports where port.attach == .veth {
            guard let name = port.switchName, let end = port.end, let mac = port.mac, let fabric = try open(name) else {
                continue
            }
            try attributed { () throws(SystemError) in
                let socket = try NetlinkSocket(in: fabric.namespace.number)
                guard let link = try socket.link(.name(end)) else { return }
                let entry = ForwardingEntry(mac, port: link.index)
                do throws(SystemError) {
                    try socket.send(isHere ? .replace(entry) : .delete(entry))
                } catch {
                    if isHere || error.code != ENOENT { throw error }
                }
            }
        }
    }

    /// What keeps frames for ports of switches once it is told so, for a box that is about to stand still.
    /// - Parameter box: a descriptor of the ports' network namespace.
    public func waitingFrames(for ports: [Port], of box: Int32) throws(SwitchError) -> WaitingFrames {
        try WaitingFrames(ports.filter { $0.attach == .veth }, of: box) { port throws(SwitchError) in
            // Of what VLAN a frame was cannot be seen in the box.
            guard let name = port.switchName, let fabric = try open(name), !fabric.spec.filtersVLANs else { return nil }
            return fabric
        }
    }
}
