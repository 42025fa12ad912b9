import Addresses
import Launch
import Switching

extension SwitchStore {
    /// Who tells names on a switch; `nil` where nobody does.
    func resolver(of name: String) throws(SwitchError) -> Resolver? {
        guard let spec = try find(name), spec.hasDNS else { return nil }
        return Resolver(servers: spec.subnets.map { $0.address }, domain: spec.searchDomain)
    }
}
