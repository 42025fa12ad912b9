@testable import Profile

/// Values that the schema's keys take: for each key some that differ from each other.
enum Samples {
    /// Text with what a TOML writer might get wrong.
    static let odd = "a\"b\\c\u{1}\u{7f}\n\t\r'''\"\"\" #[x] = ü\u{301}\u{2028}\u{1f9ea}"

    static func values(of kind: Kind) -> [Value] {
        switch kind {
        case .string(let form): form.samples.map { .string($0) }
        case .boolean: [.bool(true), .bool(false)]
        case .integer(let range): [.integer(range.lowerBound), .integer(range.upperBound)]
        case .number(let range): [.double(range.lowerBound), .double(range.upperBound), .integer(1)]
        case .size(let minimum): [.integer(minimum), .string("3G"), .integer(.max)]
        case .duration(let range): [.string("\(range.lowerBound)ms"), .integer(7), .string("90m")]
        case .limit:
            [
                .integer(0), .string("unlimited"), .string("5:unlimited"),
                .table([("soft", .integer(1)), ("hard", .integer(2))]),
            ]
        case .account: [.string("www-data"), .integer(33)]
        case .action:
            [
                .string("kill"), .string("log"), .string("allow"), .string("trap"), .string("ENOSYS"),
                .table([("errno", .integer(38))]),
            ]
        case .word: [.integer(0), .integer(.max), .string("0xffffffffffffffff")]
        case .list(let element):
            [.array([]), .array(values(of: element))] + values(of: element).map { .array([$0]) }
        case .vector(let element): [.array([])] + values(of: element).map { .array([$0]) }
        case .oneOrMore(let form): form.samples.map { .string($0) } + [.strings([form.samples[0]])]
        case .namespaces: [.string("all"), .string("none"), .strings(["pid", "mount"])]
        case .idMapping: [.string("self"), .string("auto"), .strings(["0 100000 65536", "65536 0 1"])]
        case .tables(let keys, _): [.array([])] + tables(keys()).map { .array([$0]) }
        case .section(let keys): tables(keys())
        case .map(let form, let element):
            form.samples.flatMap { name in values(of: element).map { .table([(name, $0)]) } }
        }
    }

    /// Every combination of the keys' values, with and without those that may be absent; of many keys each value alone.
    static func tables(_ keys: [Key]) -> [Value] {
        if keys.count > 8 {
            let required = keys.filter(\.isRequired).map { ($0.name, values(of: $0.kind)[0]) }
            return keys.flatMap { key in
                values(of: key.kind).map { .table([(key.name, $0)] + required.filter { $0.0 != key.name }) }
            }
        }
        var tables: [[(key: String, value: Value)]] = [[]]
        for key in keys {
            let values = values(of: key.kind)
            tables = tables.flatMap { table in
                (key.isRequired ? [] : [table]) + values.map { table + [(key.name, $0)] }
            }
        }
        return tables.map { .table($0) }
    }
}

extension Form {
    fileprivate var samples: [String] {
        switch self {
        case .text: ["word", "", Samples.odd]
        case .oneOf(let words): words()
        case .path: ["/a b/\"c\\", "~/\u{1}x*"]
        case .pathOr(let word): [word, "/upper"]
        case .profile: ["base"]
        case .octal: ["0123", "7"]
        case .hostname: ["box-1.example"]
        case .cpus: ["0-1,3"]
        case .capability: ["KILL", "cap_net_raw", "ALL"]
        case .call: ["@mount", "ptrace"]
        case .architecture: ["x86", "native"]
        case .variable: ["A", "B.c\"ü"]
        case .variablePattern: ["LC_*", "*"]
        case .bindOption: Names.bindOptions
        case .tmpfsOption: Names.tmpfsOptions
        case .joinTarget: ["/run/netns/x", "sandbox:db"]
        case .restart: ["no", "on-failure", "on-failure:3", "always"]
        case .signal: ["SIGTERM", "int", "RTMIN+3"]
        case .switchName: ["lan", "a.b-c_9"]
        case .interfaceName: ["eth0", "a@b"]
        case .address(let words): ["10.1.0.5/24", "fd00::5/64"] + words
        case .addressOr(let words): ["10.1.0.1", "fd00::1"] + words
        case .mac(let words): ["02:00:00:00:00:0A"] + words
        case .route: ["10.9.0.0/16 via 10.1.0.254", "::/0 via fd00::1"]
        case .publication: ["80", "8080:80/tcp", "127.0.0.1:53:53/udp", "[::1]:9000-9009:8000-8009"]
        case .bitRate: ["10mbit", "1.5gbit", "8001bit"]
        case .identifier: ["web", "tcp-in"]
        case .screenSize: ["1024x768", "64x16384"]
        case .busName: ["org.example.App-1", "org.*", "_a.b2.*"]
        case .busRule: ["org.example.App=*", "org.example.App=a.b.*@/", "a.b=@/x/*", "a.b.*=Do@/*"]
        case .statement: ["tcp dport { 1, 2 } drop", "log prefix \"a;b\""]
        case .functionReference: ["firewall", "firewall:web?tcp-in=1,2&icmp=false", "capture@shared"]
        case .trafficRule:
            ["icmp", "tcp to 10.1.0.0/16:443", "udp from any:53", "tcp to [fd00::]:1-2", "any to example.org"]
        }
    }
}
