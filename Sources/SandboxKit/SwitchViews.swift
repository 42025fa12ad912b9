import Kernel
public import Launch
public import Switching

extension SwitchStore {
    /// A switch and its ports at this moment.
    ///
    /// - Parameter registry: of the sandboxes that may have ports on it.
    public func view(_ name: String, _ registry: Registry) throws(LaunchError) -> SwitchView {
        let fabric = try switched { () throws(SwitchError) in try existing(name) }
        let boxes = fabric.spec.kind == .macvlan ? try registry.boxes(on: name) : []
        var view = try switched { () throws(SwitchError) in try fabric.view(boxes) }
        if view.spec.hasDNS { view.nameServer = try registry.nameServerState(of: name).rawValue }
        return view
    }
}

extension Registry {
    /// The sandboxes that run and have ports of a switch. Of a damaged one nothing is known.
    fileprivate func boxes(on name: String) throws(LaunchError) -> [BoxOnSwitch] {
        try list().sandboxes.compactMap { sandbox in
            let record = sandbox.record
            guard record.phase == .running, let process = record.process,
                record.ports.contains(where: { $0.switchName == name })
            else { return nil }
            return BoxOnSwitch(process: process, owner: record.name, ports: record.ports)
        }
    }
}
