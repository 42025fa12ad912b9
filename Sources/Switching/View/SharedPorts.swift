import Addresses
import Glibc
import Kernel
import Netlink
import Profile

extension Switch {
    /// Ports on a device of the host's, looked for in the boxes: of those with a record by their names there, of others
    /// by the addresses that they took.
    borrowing func sharedPorts(_ boxes: [BoxOnSwitch]) throws(SwitchError) -> [PortView] {
        let name = spec.name
        var all = boxes
        for box in try holders() where !boxes.contains(where: { $0.process == box.process }) { all.append(box) }
        var ports: [PortView] = []
        for box in all {
            let own = box.ports.filter { $0.switchName == name }
            if own.isEmpty { continue }
            for port in try attributed({ () throws(SystemError) in try SharedLook.ports(own, of: box) }) {
                // A lease for each of its addresses: one port all the same.
                if let known = ports.firstIndex(where: { $0.mac == port.mac && $0.interface == port.interface }) {
                    ports[known].addresses += port.addresses.filter { !ports[known].addresses.contains($0) }
                } else {
                    ports.append(port)
                }
            }
        }
        return ports
    }

    /// What the leases tell of boxes: addresses of a port each, or an interface's name for one without.
    private borrowing func holders() throws(SwitchError) -> [BoxOnSwitch] {
        let name = spec.name
        return try attributed { () throws(SystemError) in
            guard let folder = try openFolder().existing(File.leases) else { return [] }
            var boxes: [BoxOnSwitch] = []
            for entry in try folder.entries() {
                guard let text = try folder.read(entry), let process = ProcessIdentity(lease: text) else { continue }
                var port = Port(name: "", switchName: name, attach: .macvlan, addresses: [], mac: nil)
                if let address = IPAddress(entry) {
                    port.addresses = [IPPrefix(address)]
                } else if let dash = entry.firstIndex(of: "-"), entry.hasPrefix("\(process.pid)-") {
                    port.name = String(entry[entry.index(after: dash)...])
                } else {
                    continue
                }
                boxes.append(BoxOnSwitch(process: process, owner: nil, ports: [port]))
            }
            return boxes
        }
    }
}

extension ProcessIdentity {
    /// `PID START`, which ``Leases`` begins a file with.
    fileprivate init?(lease text: String) {
        let words = text.split { $0 == " " || $0 == "\n" }
        guard words.count >= 2, let pid = Int32(words[0]), let start = UInt64(words[1]) else { return nil }
        self.init(pid: pid, start: start)
    }
}

/// Interfaces of the network namespace that a box's process lives in.
private enum SharedLook {
    static func ports(_ ports: [Port], of box: BoxOnSwitch) throws(SystemError) -> [PortView] {
        guard let process = try ProcessHandle(box.process) else { return [] }
        let socket: NetlinkSocket
        do throws(SystemError) {
            socket = try NetlinkSocket(in: process.descriptor.number)
        } catch {
            // It has ended meanwhile.
            if error.code == ESRCH { return [] }
            throw error
        }
        let links = try socket.links()
        let addresses = try socket.addresses()
        return ports.compactMap { port in
            let link = links.first { link in
                if !port.name.isEmpty { return link.name == port.name }
                return addresses.contains { own in
                    own.link == link.index && port.addresses.contains { $0.address == own.prefix.address }
                }
            }
            return link.map { view(port, $0, box) }
        }
    }

    private static func view(_ port: Port, _ link: Link, _ box: BoxOnSwitch) -> PortView {
        var view = PortView(interface: link.name)
        view.owner = box.owner
        view.attach = link.kind == "macvtap" ? .macvtap : port.attach
        view.addresses = port.addresses.map { $0.address }
        view.mac = link.address
        view.isUp = link.isUp && link.hasCarrier
        // Nobody guards them: the parent passes what they send.
        view.isGuarded = false
        view.counters = link.counters
        return view
    }
}
