import CLinux
import Glibc
import Testing

extension Integration.SetupTests {
    // MARK: - S8: the box swaps its own folder for a link

    @Test("S8: a folder that became a link is not followed") func swappedSource() throws {
        let outcomes = try swapSource(options: "[\"nofollow\"]")
        #expect(outcomes.first.succeeded, "\(outcomes.first)")
        expectRefused(outcomes.second, naming: "persist")
    }

    @Test("S8: control: without nofollow the second run shows the link's target") func swappedSourceControl() throws {
        let outcomes = try swapSource(options: "[]")
        #expect(outcomes.first.succeeded && outcomes.second.text == "private key", "control: \(outcomes.second)")
    }

    /// A box replaces the folder that was bound for it by a link to the user's keys; then it is run again.
    func swapSource(options: String) throws -> (first: Outcome, second: Outcome) {
        try box.folder("home/.ssh")
        try box.write("home/.ssh/id", "private key\n")
        try box.folder("home/persist/data")
        let toml = """
            [namespaces]
            unshare = ["mount"]
            [filesystem]
            private = ["home"]
            bind = [{ from = "~/persist", to = "\(box.path)/home/persist" },
                    { from = "~/persist/data", to = "/mnt", options = \(options) }]
            """
        let swap = "cd ~/persist && mv data gone && ln -s ../.ssh data"
        let first = try box.launch(toml, ["--workdir", "/"], ["sh", "-c", swap])
        return (first, try box.launch(toml, ["--workdir", "/"], ["cat", "/mnt/id"]))
    }

    @Test("S8: a kept overlay whose folders became links is refused") func swappedOverlay() throws {
        let root = try Rootfs(in: box)
        let upper = try box.folder("changes")
        let target = try box.folder("target")
        let toml = """
            [namespaces]
            unshare = ["mount"]
            [filesystem]
            root = "\(root.path)"
            overlay = { upper = "\(upper)" }
            [process]
            working-directory = "/"
            """
        #expect(try box.launch(toml, [], ["/bin/touch", "/made"]).succeeded)
        for name in Files.list(upper) {
            try box.must(["mv", upper + "/" + name, box.file("away")])
            try Files.makeLink(upper + "/" + name, to: target)
            let outcome = try box.launch(toml, [], ["/bin/touch", "/second"])
            #expect(outcome.status == 125 || Files.list(target).isEmpty, "\(name): \(outcome)")
            #expect(Files.list(target).isEmpty, "\(name): \(Files.list(target))")
            try box.must(["rm", upper + "/" + name])
            try box.must(["mv", box.file("away"), upper + "/" + name])
        }
    }

    // MARK: - S9: words of the command taken for ours

    @Test("S9: a command whose name looks like an option is a command") func optionNames() throws {
        for name in ["--bind", "--dev-bind", "-p", "--", "--set"] {
            let folder = try box.folder("bin")
            try Files.write("#!/bin/sh\necho ran \"$0\" \"$@\"\n", to: folder + "/" + name, mode: 0o755)
            let path = ["PATH": folder + ":/usr/bin:/bin"]
            let words = ["run", "--env", "PATH=\(folder):/usr/bin:/bin", "--", name, "/", "/mnt"]
            expectOutput(try box.sandbox(words, environment: path), "ran \(folder)/\(name) / /mnt")
            let toml = "[process]\ncommand = [\"\(name)\", \"/\", \"/mnt\"]\n"
            let chosen = try box.sandbox(["run"] + (try box.profile(toml)), environment: path)
            expectOutput(chosen, "ran \(folder)/\(name) / /mnt")
        }
        expectRefused(try box.sandbox(["run", "--", "--no-such-option"]), status: 127, naming: "--no-such-option")
    }

    @Test("S9: options after the first word are the command's") func laterOptions() throws {
        let before = Processes.namespace("net") ?? ""
        let command = ["sh", "-c", "readlink /proc/self/ns/net; echo $1", "sh"]
        let outcome = try box.sandbox(["run"] + command + ["--unshare=net"])
        expectOutput(outcome, before + "\n--unshare=net")
        let control = try box.sandbox(["run", "--unshare=net"] + command)
        #expect(control.succeeded && control.lines.first != before, "control: \(control)")
    }

    // MARK: - S10: files written on the user's behalf

    @Test(
        "S10: no option writes, fetches or puts files",
        arguments: ["--output=x", "--output", "--get", "--put", "--log"])
    func noFileOptions(option: String) throws {
        expectRefused(try box.sandbox(["run", option, "--", "true"]))
        expectOutput(try box.sandbox(["run", "--", "echo", option]), option)
        #expect(!Files.exists(box.file("x")))
        for command in ["get", "put", "--get=x"] { expectRefused(try box.sandbox([command, "x", "/etc/passwd"])) }
    }

    @Test("S10: control: an option of ours before the command does act") func fileOptionsControl() throws {
        expectOutput(try box.sandbox(["run", "--env", "A=acts", "--", "printenv", "A"]), "acts")
    }
}
