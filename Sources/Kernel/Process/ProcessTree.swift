import Glibc

/// A process and what descends from it, itself first (proc_tid_children(5)). What is gone by now, or had a parent that
/// ended and was adopted outside, is not in it.
public func processTree(of root: Int32) throws(SystemError) -> [Int32] {
    var found = [root]
    var next = 0
    while next < found.count {
        let folder = "/proc/\(found[next])/task"
        for thread in try groupsBelow(folder) {
            guard let text = try textOfProcess(thread + "/children") else { continue }
            for word in controlWords(text) {
                if let pid = Int32(word), !found.contains(pid) { found.append(pid) }
            }
        }
        next += 1
    }
    return found
}

/// A file of /proc/PID; `nil` when the process has ended.
func textOfProcess(_ path: String) throws(SystemError) -> String? {
    do throws(SystemError) {
        return try readText(path)
    } catch {
        if error.code == ENOENT || error.code == ESRCH { return nil }
        throw error
    }
}
