/// Rules that switches need, tried with nft(8) as they are.
public struct RulesetProbe: Sendable {
    public var name: String
    public var purpose: String
    private var rules: String
    private var tables = [["inet", "probe"]]

    public static let all = [
        RulesetProbe(
            name: "nft-bridge-sets", purpose: "guarding against spoofing, network.allow", rules: Ruleset.ports,
            tables: [["bridge", Ruleset.guardTable], ["bridge", Ruleset.rulesTable]]),
        RulesetProbe(
            name: "nft-egress", purpose: "the same for interfaces of kind macvlan and macvtap",
            rules: """
                table netdev probe {
                    chain probe { type filter hook egress device "lo" priority 0; policy accept; }
                }

                """, tables: [["netdev", "probe"]]),
        RulesetProbe(
            name: "nft-nat", purpose: "--uplink nat",
            rules: chain("type nat hook postrouting priority 100;", "masquerade")),
        RulesetProbe(
            name: "nft-redirect", purpose: "network.publish",
            rules: chain("type nat hook prerouting priority -100;", "tcp dport 7 dnat ip to 192.0.2.1:7")),
        RulesetProbe(
            name: "nft-track", purpose: "answers through --uplink nat",
            rules: chain("type filter hook forward priority 0;", "ct state established,related accept")),
    ]

    private static func chain(_ hook: String, _ rule: String) -> String {
        "table inet probe {\nchain probe {\n\(hook) policy accept;\n\(rule)\n}\n}\n"
    }

    /// Loads the rules in the network namespace behind a descriptor and takes them out again.
    public func attempt(in namespace: Int32) throws(SwitchError) {
        let nft = try Program("nft", package: "nftables")
        try nft.run(["-f", "-"], input: rules, in: namespace)
        for table in tables { try nft.run(["delete", "table"] + table, input: "", in: namespace) }
    }
}
