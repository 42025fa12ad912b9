import CLinux
import Glibc
import Kernel
import Launch

/// Draws pictures on the terminal, by chafa(1): in kitty's, iTerm's or DEC's graphics where the terminal has them, in
/// characters elsewhere.
struct PictureDrawer {
    private let program: String

    init() throws(LaunchError) {
        guard let program = findProgram("chafa") else {
            throw LaunchError(
                "chafa is not installed", mend: "install the package chafa, or use 'snapshot show --picture'")
        }
        self.program = program
    }

    func draw(_ picture: [UInt8]) throws(SystemError) {
        let file = Descriptor(
            try check("make a file in memory") { memfd_create("picture", UInt32(MFD_CLOEXEC)) })
        try Output.write(picture, to: file.number, name: "the picture")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, file.number, 9)
        var pid: Int32 = 0
        let code = withCStrings([program, "--size", "60x20", "/proc/self/fd/9"]) { words in
            posix_spawn(&pid, program, &actions, nil, words, Glibc.environ)
        }
        if code != 0 { throw SystemError("start \(program)", code: code) }
        let status = try waitForEnd(of: pid)
        if status.exitStatus != 0 { throw SystemError("draw a picture with \(program)", code: EIO) }
    }
}
