import CLinux
import Glibc
import Kernel

/// Programs that the kernel has lists of at each interface (bpf(2), tcx). They need no queue.
struct ListedPrograms {
    /// A descriptor of the network namespace.
    private let namespace: Int32

    init(in namespace: Int32) { self.namespace = namespace }

    /// Puts a program in the place of the one of the same name, with no frame between the two; or behind all others.
    func set(_ program: borrowing LoadedProgram, on link: Int32, _ place: InterfacePrograms.Place) throws(SystemError) {
        let old = try find(program.name, on: link, place)
        var attributes = [UInt32](repeating: 0, count: 32)
        attributes[0] = UInt32(bitPattern: link)
        attributes[1] = UInt32(bitPattern: program.descriptor.number)
        attributes[2] = place.rawValue
        if let old {
            // BPF_F_REPLACE.
            attributes[3] = 4
            attributes[4] = UInt32(bitPattern: old)
        }
        defer { if let old { close(old) } }
        // BPF_PROG_ATTACH.
        try call(8, &attributes, "attach the program \(program.name) to the interface number \(link)")
    }

    /// Takes the program of that name away; none is no error.
    func remove(_ name: String, from link: Int32, _ place: InterfacePrograms.Place) throws(SystemError) {
        guard let old = try find(name, on: link, place) else { return }
        defer { close(old) }
        var attributes = [UInt32](repeating: 0, count: 32)
        attributes[0] = UInt32(bitPattern: link)
        attributes[1] = UInt32(bitPattern: old)
        attributes[2] = place.rawValue
        // BPF_PROG_DETACH.
        try call(9, &attributes, "detach the program \(name) from the interface number \(link)")
    }

    /// The names of the programs there, in the order in which they act.
    func names(on link: Int32, _ place: InterfacePrograms.Place) throws(SystemError) -> [String] {
        var names: [String] = []
        for id in try ids(link, place) {
            guard let descriptor = try open(id) else { continue }
            defer { close(descriptor) }
            names.append(try name(descriptor))
        }
        return names
    }

    // MARK: - Looking

    /// - Returns: a descriptor for the caller to close; nil where there is none.
    private func find(_ name: String, on link: Int32, _ place: InterfacePrograms.Place) throws(SystemError) -> Int32? {
        for id in try ids(link, place) {
            guard let descriptor = try open(id) else { continue }
            do throws(SystemError) {
                if try self.name(descriptor) == name { return descriptor }
            } catch {
                close(descriptor)
                throw error
            }
            close(descriptor)
        }
        return nil
    }

    private func ids(_ link: Int32, _ place: InterfacePrograms.Place) throws(SystemError) -> [UInt32] {
        // The kernel takes at most 64 there.
        var ids = [UInt32](repeating: 0, count: 64)
        var attributes = [UInt32](repeating: 0, count: 32)
        attributes[0] = UInt32(bitPattern: link)
        attributes[1] = place.rawValue
        attributes[6] = UInt32(ids.count)
        var failure: SystemError?
        ids.withUnsafeMutableBytes { room in
            let address = UInt64(UInt(bitPattern: room.baseAddress))
            (attributes[4], attributes[5]) = (UInt32(truncatingIfNeeded: address), UInt32(address >> 32))
            do throws(SystemError) {
                // BPF_PROG_QUERY.
                try call(16, &attributes, "list the programs of the interface number \(link)")
            } catch {
                failure = error
            }
        }
        if let failure {
            // Nothing has ever been there.
            if failure.code == ENOENT { return [] }
            throw failure
        }
        return Array(ids.prefix(Int(attributes[6])))
    }

    /// - Returns: nil when it has gone meanwhile.
    private func open(_ id: UInt32) throws(SystemError) -> Int32? {
        var attributes = [UInt32](repeating: 0, count: 32)
        attributes[0] = id
        // BPF_PROG_GET_FD_BY_ID.
        let descriptor = linux_bpf(13, &attributes, 128)
        if descriptor >= 0 { return descriptor }
        if errno == ENOENT { return nil }
        throw SystemError("open the program number \(id)", code: errno)
    }

    private func name(_ program: Int32) throws(SystemError) -> String {
        var about = [UInt8](repeating: 0, count: 80)
        var attributes = [UInt64](repeating: 0, count: 16)
        attributes[0] = UInt64(UInt32(bitPattern: program)) | UInt64(about.count) << 32
        let result = about.withUnsafeMutableBytes { about in
            attributes[1] = UInt64(UInt(bitPattern: about.baseAddress))
            // BPF_OBJ_GET_INFO_BY_FD.
            return linux_bpf(15, &attributes, 128)
        }
        if result < 0 { throw SystemError("look at a program", code: errno) }
        return String(decoding: about[64..<80].prefix { $0 != 0 }, as: UTF8.self)
    }

    private func call(_ command: Int32, _ attributes: inout [UInt32], _ action: String) throws(SystemError) {
        if linux_bpf_in(namespace, command, &attributes, 128) >= 0 { return }
        throw SystemError(action, code: errno)
    }

    // MARK: - The kernel

    /// Whether the kernel has such lists (Linux 6.6, with CONFIG_NET_XGRESS), by asking for that of the loopback
    /// interface of where the calling thread is.
    static let areKnown: Bool = {
        var attributes = [UInt32](repeating: 0, count: 32)
        attributes[0] = 1
        // No program at all: the kernel looks at the place first, and at interfaces, which wait for others' changes, last.
        attributes[1] = UInt32.max
        attributes[2] = InterfacePrograms.Place.input.rawValue
        // BPF_PROG_ATTACH. Where something else is wrong, such as a permission, the use of it will tell.
        return linux_bpf(8, &attributes, 128) >= 0 || errno != EINVAL
    }()
}
