import CLinux
import Glibc
import Testing

extension Integration.PrivilegeTests {
    // MARK: - S19, S20: control groups

    @Test(
        "S19: a delegated control group is not to be written", .needsUserNamespaces,
        .enabled(if: Machine.canDelegate, "no version 2 hierarchy"))
    func delegated() throws {
        let outcome = try delegation(readOnly: true)
        #expect(outcome.status != 0 && outcome.err.contains("Read-only"), "\(outcome)")
    }

    @Test(
        "S19: control: without read-only it is", .needsUserNamespaces,
        .enabled(if: Machine.canDelegate, "no version 2 hierarchy"))
    func delegatedControl() throws {
        let outcome = try delegation(readOnly: false)
        #expect(outcome.succeeded, "control: \(outcome)")
    }

    /// Makes a group below one that was given to a user, from that user's box.
    func delegation(readOnly: Bool) throws -> Outcome {
        let user = try Box(as: Box.user)
        let group = Machine.unified + "/" + user.mark
        try box.must(["mkdir", group])
        defer {
            _ = rmdir(group + "/inner")
            _ = rmdir(group)
        }
        chown(group, Box.user, Box.user)
        let rule = readOnly ? "read-only = [\"/\"]" : ""
        let toml = "[namespaces]\nunshare = [\"user\", \"mount\"]\n[filesystem]\n\(rule)\n"
        return try user.launch(toml, [], ["mkdir", group + "/inner"])
    }

    /// Mounts a hierarchy of version 1 and writes what is already there into its release agent's name.
    static let release = """
        mkdir /tmp/cg && mount -t cgroup -o memory none /tmp/cg && cat /tmp/cg/release_agent > /tmp/agent
        cat /tmp/agent > /tmp/cg/release_agent && printf '' > /tmp/cg/release_agent && echo WRITTEN
        """

    static func release(_ security: String) -> String {
        "[namespaces]\nunshare = [\"mount\"]\n[filesystem]\nprivate = [\"tmp\"]\n[process]\nworking-directory = \"/\"\n"
            + security
    }

    @Test(
        "S20: release_agent is out of reach, nested namespaces allowed or not", .needsControllerV1("memory"),
        arguments: ["allow", "deny"])
    func releaseAgent(nested: String) throws {
        let security = "user = \"1234\"\ngroup = \"1234\"\n[security]\nuser-namespaces = \"\(nested)\"\n"
        let direct = try box.shell(Self.release(security), [], Self.release)
        #expect(!direct.out.contains("WRITTEN") && direct.status != 0, "\(direct)")
        let further = "unshare -UrmC sh -c '\(Self.release.replacing("'", with: "\""))'"
        let outcome = try box.shell(Self.release(security), [], further)
        #expect(!outcome.out.contains("WRITTEN") && outcome.status != 0, "\(outcome)")
        // Allowed, it fails where the hierarchy is written or mounted, and not before.
        #expect(outcome.err.contains("unshare failed") == (nested == "deny"), "\(outcome)")
    }

    @Test("S20: control: with all of root's capabilities it is not", .needsControllerV1("memory"))
    func releaseAgentControl() throws {
        let outcome = try box.shell(Self.release(""), [], Self.release)
        #expect(outcome.out.contains("WRITTEN"), "control: \(outcome)")
    }

    // MARK: - S21: nested user namespaces

    @Test("S21: no user namespace by any call of any table, and none of the mount calls", .needsX86)
    func nested() throws {
        let toml = "[security]\nuser-namespaces = \"deny\"\nseccomp = { deny = [\"@mount\"] }\n"
        for profile in [toml, toml + Self.asUser] {
            let outcome = try box.launch(profile, [], [try Payload.probe(), "userns"])
            #expect(outcome.succeeded && outcome.lines.count == 5 && !outcome.out.contains(" ok"), "\(outcome)")
            let calls = try box.launch(profile, [], [try Payload.probe(), "calls", "fsopen", "fsconfig"])
            #expect(calls.lines == ["fsopen ENOSYS", "fsconfig ENOSYS"], "\(calls)")
            #expect(try box.shell(profile, [], "sh -c 'exit 3'").ending == .exited(3), "ordinary processes go on")
        }
    }

    @Test("S21: control: allowed, they are made", .needsX86) func nestedControl() throws {
        let toml = "[security]\nuser-namespaces = \"allow\"\n"
        let outcome = try box.launch(toml, [], [try Payload.probe(), "userns"])
        #expect(outcome.lines.prefix(3) == ["clone ok", "clone3 ok", "unshare ok"], "control: \(outcome)")
    }

    // MARK: - S22: a state folder that someone else made

    @Test("S22: a hostile state folder is refused", arguments: ["link", "foreign", "open"])
    func hostileState(kind: String) throws {
        let state = box.file("hostile")
        switch kind {
        case "link":
            try box.folder("target")
            try Files.makeLink(state, to: box.file("target"))
        case "foreign":
            try box.folder("hostile")
            chown(state, Box.user, Box.user)
        default: try box.folder("hostile", mode: 0o777)
        }
        let outcome = try box.launch(
            "", ["-n", "named"], ["touch", box.file("started")], environment: ["SANDBOX_STATE": state])
        expectRefused(outcome, naming: state)
        #expect(!Files.exists(box.file("started")))
        #expect(Files.list(box.file("target")).isEmpty)
    }

    @Test("S22: control: one's own is made, for its owner only") func hostileStateControl() throws {
        let state = box.file("new/state")
        try box.folder("new")
        let outcome = try box.launch("", ["-n", "named"], ["true"], environment: ["SANDBOX_STATE": state])
        #expect(outcome.succeeded, "control: \(outcome)")
        var status = stat()
        if stat(state, &status) == 0 { #expect(status.st_mode & 0o077 == 0) }
        // The first ran in place: its control group waits for the next command that works on the name.
        let second = try box.launch(
            "", ["-n", "named", "--unshare", "pid,mount"], ["true"], environment: ["SANDBOX_STATE": state])
        #expect(second.succeeded, "\(second)")
    }
}

extension Machine {
    /// The version 2 hierarchy, alone or beside version 1.
    static let unified =
        Files.exists("/sys/fs/cgroup/unified/cgroup.procs") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup"
    static let canDelegate = Files.exists(unified + "/cgroup.procs")
}
