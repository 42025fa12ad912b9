import CLinux
import Glibc
import Kernel

/// How far long work is: one line on standard error, where that is a terminal, and none for work of half a second. A
/// process of its own looks and draws, so that the work itself knows nothing of it and loses no time.
struct ProgressLine {
    /// What is being done: `saving web`.
    var title: String
    /// Bytes that it will be; 0 where nobody knows.
    var total = 0
    /// Bytes so far; `nil` where nothing tells.
    var measure: (() -> Int)?

    /// Shows it while `body` works.
    func during<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        guard isatty(STDERR_FILENO) == 1 else { return try body() }
        let begun = monotonicMicroseconds()
        let child: Int32
        // Work that cannot be watched is done all the same.
        do throws(SystemError) { child = try startChild(in: []) { draw(since: begun) } } catch { return try body() }
        defer {
            kill(child, SIGKILL)
            while waitpid(child, nil, 0) < 0, errno == EINTR {}
            if monotonicMicroseconds() - begun > ProgressLine.patience { ProgressLine.show("") }
        }
        return try body()
    }

    /// Microseconds before anything is shown, and between two looks.
    private static let patience = 500_000
    private static let pause: UInt32 = 100_000

    private func draw(since begun: Int) -> Never {
        _ = linux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0)
        pauseBriefly(microseconds: UInt32(ProgressLine.patience))
        while true {
            let seconds = (monotonicMicroseconds() - begun) / 1_000_000
            ProgressLine.show(text(done: measure?(), seconds: seconds, width: terminalWidth(STDERR_FILENO) ?? 80))
            pauseBriefly(microseconds: ProgressLine.pause)
        }
    }

    /// In place of the line that is there. Nobody is to be told when that fails.
    private static func show(_ text: String) {
        do throws(SystemError) {
            try Output.write("\r\u{1b}[K" + text, to: STDERR_FILENO, name: "standard error")
        } catch {}
    }

    /// `saving web  [#####-----]  52M of 104M  3 s`
    func text(done: Int?, seconds: Int, width: Int) -> String {
        var parts = [printable(title)]
        if let done, total > 0 {
            let shown = min(done, total)
            let filled = shown * 20 / total
            parts.append("[" + String(repeating: "#", count: filled) + String(repeating: "-", count: 20 - filled) + "]")
            parts.append("\(Figures.bytes(UInt64(max(0, shown)))) of \(Figures.bytes(UInt64(total)))")
        } else if let done, done > 0 {
            parts.append(Figures.bytes(UInt64(done)))
        }
        parts.append("\(seconds) s")
        return String(parts.joined(separator: "  ").prefix(max(0, width - 1)))
    }
}

extension ProgressLine {
    /// Bytes of the files in hidden directories that a process has in a directory: what it is making there.
    static func hiddenBytes(of process: Int32, in folder: String) -> Int {
        var bytes = 0
        for entry in names(in: folder) where entry.hasPrefix(".") && entry.contains(".\(process).") {
            for name in names(in: "\(folder)/\(entry)") {
                let path = "\(folder)/\(entry)/\(name)"
                guard let status = FileStatus(path: path, follow: false) else { continue }
                if status.kind == .file { bytes += Int(status.size) }
                guard status.kind == .directory else { continue }
                for image in names(in: path) {
                    let size = FileStatus(path: "\(path)/\(image)", follow: false)?.size
                    bytes += Int(size ?? 0)
                }
            }
        }
        return bytes
    }

    /// Bytes of a process's memory that are in the machine's.
    static func residentBytes(of process: Int32) -> Int {
        // One that has ended has none.
        let words = ((try? readText("/proc/\(process)/statm")) ?? "").split(separator: " ")
        return words.count > 1 ? (Int(words[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    /// Bytes that a process has read.
    static func bytesRead(by process: Int32) -> Int {
        // Where the kernel does not count there is nothing to show.
        let text = (try? readText("/proc/\(process)/io")) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("rchar: ") }
        return line.flatMap { Int($0.dropFirst(7)) } ?? 0
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
