import Glibc
import Kernel

/// Instructions that a program may have found at its start and uses from then on: a processor without them would end it.
enum ProcessorFeatures {
    /// Beginnings of the names that /proc/cpuinfo has for sets of instructions; the others are the kernel's own affair.
    private static let beginnings = [
        "sse", "ssse", "avx", "fma", "bmi", "sha", "vaes", "amx_", "xsave", "movdir", "clflushopt", "3dnow", "asimd",
        "sve",
        "sme", "crc32",
    ]
    private static let names: Set<Substring> = [
        "aes", "abm", "adx", "cldemote", "clwb", "cmov", "cx16", "cx8", "erms", "f16c", "fsgsbase", "fsrm", "gfni",
        "lahf_lm", "mmx", "movbe", "pclmulqdq", "pku", "popcnt", "rdpid", "rdrand", "rdseed", "rdtscp", "serialize",
        "tbm",
        "vpclmulqdq", "waitpkg", "xop", "atomics", "pmull", "lse",
    ]

    /// Those of this host, sorted; none where the kernel does not tell.
    static func here() throws(SystemError) -> [String] { list(in: try readText("/proc/cpuinfo")) }

    static func list(in text: String) -> [String] {
        for line in text.split(separator: "\n") where line.hasPrefix("flags") || line.hasPrefix("Features") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let words = line[line.index(after: colon)...].split(separator: " ")
            return words.filter { word in names.contains(word) || beginnings.contains { word.hasPrefix($0) } }
                .map { String($0) }.sorted()
        }
        return []
    }
}

extension Manifest.Versions {
    /// What this host is, but for CRIU.
    public static func ofHost() throws(SnapshotError) -> Manifest.Versions {
        var versions = Manifest.Versions()
        var kernel = utsname()
        uname(&kernel)
        versions.kernel = text(of: kernel.release)
        versions.machine = text(of: kernel.machine)
        versions.processorFeatures = try attributed { () throws(SystemError) in try ProcessorFeatures.here() }
        return versions
    }

    private static func text<Field>(of field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Whether what was saved there can go on here.
    /// - Throws: what is missing here.
    public func check(on host: Manifest.Versions) throws(SnapshotError) {
        if !machine.isEmpty, machine != host.machine {
            throw SnapshotError("it was taken on a machine of kind \(machine); this is \(host.machine)")
        }
        let missing = processorFeatures.filter { !host.processorFeatures.contains($0) }
        if missing.isEmpty { return }
        let shown =
            missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? " and \(missing.count - 5) more" : "")
        throw SnapshotError(
            "this host's processor lacks instructions that the application may use: \(shown)",
            mend: "restore it on one that has them")
    }
}
