import Addresses
import Glibc
import Kernel
import Netlink
import Profile

extension Switch {
    /// Ports on a device of the host's, looked for in the boxes: of those with a record by their names there, of others
    /// by the addresses that they took.
    borrowing func lookAtSharedPorts(_ boxes: [BoxOnSwitch], _ view: inout SwitchView) throws(SwitchError) {
        let name = spec.name
        var all = boxes
        for box in try holders() where !boxes.contains(where: { $0.process == box.process }) { all.append(box) }
        var ports: [PortView] = []
        for box in all {
            let own = box.ports.filter { $0.switchName == name }
            if own.isEmpty { continue }
            for seen in try attributed({ () throws(SystemError) in try SharedLook.ports(own, of: box) }) {
                let port = seen.port
                // A lease for each of its addresses: one port all the same.
                if let known = ports.firstIndex(where: { $0.mac == port.mac && $0.interface == port.interface }) {
                    ports[known].addresses += port.addresses.filter { !ports[known].addresses.contains($0) }
                } else {
                    ports.append(port)
                    if let spoofed = seen.spoofed { view.spoofed = (view.spoofed ?? 0) &+ spoofed }
                    if let refused = seen.refused { view.refused = (view.refused ?? 0) &+ refused }
                }
            }
        }
        view.ports = ports
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
    /// A port, and the frames that its own rules have dropped; `nil` where it has none.
    struct Seen {
        var port: PortView
        var spoofed: UInt64?
        var refused: UInt64?
    }

    static func ports(_ ports: [Port], of box: BoxOnSwitch) throws(SystemError) -> [Seen] {
        guard let process = try ProcessHandle(box.process) else { return [] }
        let (links, addresses, counters): ([Link], [InterfaceAddress], [NetfilterCounter])
        do throws(SystemError) {
            (links, addresses, counters) = try look(process.descriptor.number)
        } catch {
            // It has ended meanwhile.
            if error.code == ESRCH { return [] }
            throw error
        }
        return ports.compactMap { port in
            let link = links.first { link in
                if !port.name.isEmpty { return link.name == port.name }
                return addresses.contains { own in
                    own.link == link.index && port.addresses.contains { $0.address == own.prefix.address }
                }
            }
            return link.map { link in
                func packets(_ name: String) -> UInt64? { counters.first { $0.name == name }?.packets }
                let (spoofed, refused) = (
                    packets(SharedTable.spoofed(link.name)), packets(SharedTable.refused(link.name))
                )
                var view = view(port, link, box)
                (view.isGuarded, view.isFiltered) = (spoofed != nil, refused != nil)
                return Seen(port: view, spoofed: spoofed, refused: refused)
            }
        }
    }

    private static func look(
        _ namespace: Int32
    ) throws(SystemError) -> ([Link], [InterfaceAddress], [NetfilterCounter]) {
        let socket = try NetlinkSocket(in: namespace)
        let counters = try NetfilterSocket(in: namespace).counters(of: .netdev, table: SharedTable.name)
        return (try socket.links(), try socket.addresses(), counters)
    }

    private static func view(_ port: Port, _ link: Link, _ box: BoxOnSwitch) -> PortView {
        var view = PortView(interface: link.name)
        view.owner = box.owner
        view.attach = link.kind == "macvtap" ? .macvtap : port.attach
        view.addresses = port.addresses.map { $0.address }
        view.mac = link.address
        view.isUp = link.isUp && link.hasCarrier
        view.counters = link.counters
        return view
    }
}
