import Testing

@testable import Profile

struct ErrorTests {
    @Test(arguments: [
        (
            "[filesystem]\nbind = [\n  { from = \"/a\", options = [\"nosuid\", \"r0\"] },\n]",
            "a.toml:3:39: filesystem.bind[0].options: unknown option \"r0\"; did you mean \"ro\"?"
        ),
        ("[process]\nhostnme = \"x\"", "a.toml:2:1: process.hostnme: unknown key; did you mean \"hostname\"?"),
        ("hostname = \"x\"", "a.toml:1:1: hostname: unknown key; it belongs in [process]"),
        ("[process]\nread-only = [\"/\"]", "a.toml:2:1: process.read-only: unknown key; it belongs in [filesystem]"),
        ("[proces]\nnice = 1", "a.toml:1:2: proces: unknown key; did you mean \"process\"?"),
        ("[process]\nnice = \"x\"", "a.toml:2:8: process.nice: expected an integer, not a string"),
        ("process.nice = 40", "a.toml:1:16: process.nice: 40 is out of range; use -20 to 19"),
        ("[process]\ninit = 1", "a.toml:2:8: process.init: expected true or false, not an integer"),
        (
            "[process]\numask = 18",
            "a.toml:2:9: process.umask: expected a string of octal digits, not an integer; put it in quotes"
        ),
        (
            "[process]\numask = \"0888\"",
            "a.toml:2:9: process.umask: \"0888\" is no octal mode; write octal digits up to \"0777\""
        ),
        (
            "[process]\nhostname = \"a b\"",
            "a.toml:2:12: process.hostname: \"a b\" is no host name; use letters, digits, \"-\" and \".\""
        ),
        (
            "[filesystem]\nhide = [\n  \"/a\", # one\n  \"b\"]",
            "a.toml:4:3: filesystem.hide: \"b\" is not an absolute path; "
                + "begin it with \"/\", \"~/\", \"$HOME\", \"$PWD\" or \"$XDG_…\""
        ),
        ("[filesystem]\nhide = \"/a\"", "a.toml:2:8: filesystem.hide: expected a list of strings, not a string"),
        (
            "[[filesystem.bind]]\nfrom = \"/a\"\n[[filesystem.bind]]\nto = \"/b\"",
            "a.toml:3:14: filesystem.bind[1]: \"from\" is missing; add from = \"/srv/www\""
        ),
        (
            "[[filesystem.bind]]\nfrom = \"/a\"\n[[filesystem.bind]]\nfrom = \"/b\"\nt0 = \"/c\"",
            "a.toml:5:1: filesystem.bind[1].t0: unknown key; did you mean \"to\"?"
        ),
        (
            "[filesystem]\nbind = [{ from = \"/a\", options = [\"ro\", \"rw\"] }]",
            "a.toml:2:41: filesystem.bind[0].options: \"rw\" contradicts \"ro\"; keep one of them"
        ),
        (
            "[namespaces]\nunshare = [\"mount\", \"nett\"]",
            "a.toml:2:21: namespaces.unshare: unknown value \"nett\"; did you mean \"net\"?"
        ),
        ("[namespaces]\nunshare = \"net\"", "a.toml:2:11: namespaces.unshare: expected a list; write [\"net\"]"),
        ("[namespaces]\njoin = { nt = \"/x\" }", "a.toml:2:10: namespaces.join.nt: unknown key; did you mean \"net\"?"),
        (
            "[namespaces]\njoin = { net = \"blue\" }",
            "a.toml:2:16: namespaces.join.net: \"blue\" is no namespace; write an absolute path or \"sandbox:NAME\""
        ),
        ("[limits]\nnofiles = 1", "a.toml:2:1: limits.nofiles: unknown key; did you mean \"nofile\"?"),
        ("[limits]\nnofile = \"9:3\"", "a.toml:2:10: limits.nofile: the soft limit is above the hard one"),
        (
            "[limits]\nnofile = -1",
            "a.toml:2:10: limits.nofile: no limit; "
                + "write a number, \"64M\", \"unlimited\", \"SOFT:HARD\" or { soft = …, hard = … }"
        ),
        (
            "[resources]\nmemory = \"12Q\"",
            "a.toml:2:10: resources.memory: \"12Q\" is no size; write bytes, or text such as \"512M\" (K, M, G, T)"
        ),
        (
            "[resources]\nmemory = \"99999999T\"",
            "a.toml:2:10: resources.memory: \"99999999T\" is no size; "
                + "write bytes, or text such as \"512M\" (K, M, G, T)"
        ),
        ("[resources]\ncpu = inf", "a.toml:2:7: resources.cpu: inf is out of range; use 0.001 to 8192.0"),
        (
            "[resources]\ncpuset = \"3-1\"",
            "a.toml:2:10: resources.cpuset: \"3-1\" is no list of CPUs; write it like \"0-1,3\""
        ),
        (
            "[security.capabilities]\nkeep = [\"CAP_NET_ADMN\"]",
            "a.toml:2:9: security.capabilities.keep: unknown capability \"CAP_NET_ADMN\"; "
                + "did you mean \"NET_ADMIN\"?"
        ),
        (
            "[security.seccomp]\naction = \"EPERMM\"",
            "a.toml:2:10: security.seccomp.action: unknown action \"EPERMM\"; did you mean \"EPERM\"?"
        ),
        (
            "[security]\nuid-map = [\"0 1\"]",
            "a.toml:2:12: security.uid-map: no triple of ids; "
                + "write [\"0 100000 65536\"]: the first id in the box, the first outside, how many"
        ),
        (
            "[network]\nchain = [\"firewall:\"]",
            "a.toml:2:10: network.chain: \"firewall:\" names no preset; "
                + "write it like \"firewall:web\", \"shaper?rate=10mbit\" or \"capture@shared\""
        ),
        ("[process]\nhostname = 1979-05-27", "a.toml:2:12: process.hostname: expected a string, not a date or time"),
        ("process = 3", "a.toml:1:11: process: expected a table, not an integer"),
        (
            "[process]\nscheduling = { priority = 3 }",
            "a.toml:2:14: process.scheduling: \"policy\" is missing; add policy = \"batch\" or another"
        ),
        (
            "[process]\nscheduling = { policy = \"fifo\" }",
            "a.toml:2:14: process.scheduling: priority 0 does not go with fifo; use 1 to 99"
        ),
    ])
    func isOneLineWithPlaceKeyAndMend(text: String, message: String) {
        #expect(problem(text) == message)
    }
}
