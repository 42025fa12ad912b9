import Checkpoint
import Kernel
import Profile

extension Registry {
    /// What CRIU need not find out about the kernel; `nil` where it has to, or has its own notes.
    /// - Parameter namespaces: the box's own. One without mounts of its own must be where CRIU is.
    func kernelNotes(_ engine: CRIUEngine, _ namespaces: [NamespaceKind]) -> KernelNotes? {
        guard namespaces.contains(.mount) else { return nil }
        do throws(SystemError) {
            return KernelNotes(engine, in: try state.open().folder("criu"), boot: try bootIdentity())
        } catch {
            return nil
        }
    }
}
