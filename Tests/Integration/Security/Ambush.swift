/// A root directory whose program lies in wait for what enters a box, to overwrite that's executable. The program is told
/// from others by its device: it is in memory. A mount of the host's for it would be one of other tests' boxes, too.
final class Ambush {
    static let command = ["/tmp/attack", "ambush", "/tmp/attack", "3"]
    /// The box's profile, but for its namespaces.
    let profile: String
    private let folder: String

    init(in box: Box) throws {
        let root = try Rootfs(in: box, name: "ambush")
        folder = "/dev/shm/\(box.mark)-ambush"
        profile = """
            [process]
            working-directory = "/"
            [filesystem]
            root = "\(root.path)"
            bind = [{ from = "\(folder)", to = "/tmp" }]

            """
        try box.must(["mkdir", folder])
        try box.must(["cp", try Payload.attack(), folder + "/attack"])
        try box.must(["cp", root.path + "/bin/busybox", folder + "/true"])
    }

    deinit { Harness.remove(folder) }
}
