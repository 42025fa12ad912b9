import Glibc
import Testing

@testable import Kernel

extension CgroupTests {
    @Suite struct Freeze {
        /// Writes a line each time around.
        private static let counting = "while :; do echo; done >"

        @Test func nothingRunsUntilTheThaw() throws {
            let counter = try Counter()
            defer { counter.remove() }
            let box = try PopulatedGroup()
            defer { box.discard() }
            _ = try box.start(Self.counting + counter.path)
            _ = try box.start("while :; do sleep 0.001; done")
            try wait("count") { counter.size > 0 }
            #expect(try !box.group.isFrozen)
            try box.group.freeze()
            #expect(try box.group.isFrozen)
            let size = counter.size
            pauseBriefly(microseconds: 20_000)
            #expect(counter.size == size)
            try box.group.freeze()
            try box.group.thaw()
            #expect(try !box.group.isFrozen)
            try wait("count on") { counter.size > size }
            try box.group.thaw()
        }

        @Test func aFrozenGroupCanBeKilled() throws {
            let box = try PopulatedGroup()
            defer { box.discard() }
            let child = try box.start("sleep 1000 & sleep 1000 & wait")
            try wait("have children") { try box.group.processes().count == 3 }
            try box.group.freeze()
            try box.group.kill()
            #expect(try box.reap(child) & 0x7f == SIGKILL)
            try wait("be empty") { try box.group.isEmpty() }
        }

        @Test func forkingDoesNotEscapeAFreezeOrAKill() throws {
            let counter = try Counter()
            defer { counter.remove() }
            let box = try PopulatedGroup()
            defer { box.discard() }
            let child = try box.start("while :; do (echo; :) & (sleep 0.01; echo; :) & wait; done >" + counter.path)
            for _ in 0..<10 {
                let before = counter.size
                try wait("fork on") { counter.size > before }
                try box.group.freeze()
                let (size, processes) = (counter.size, try box.group.processes())
                pauseBriefly(microseconds: 5000)
                #expect(try counter.size == size && box.group.processes() == processes)
                try box.group.thaw()
            }
            try box.group.kill()
            // Where they are killed one by one nothing may fork meanwhile, and a shell that cannot ends with 2 (dash(1)).
            let status = try box.reap(child)
            #expect(status & 0x7f == SIGKILL || status == 2 << 8, "\(status)")
            try wait("be empty") { try box.group.isEmpty() }
        }

        @Test func groupsMadeInsideStandStillToo() throws {
            let box = try PopulatedGroup()
            defer { box.discard() }
            let child = try box.start("sleep 1000")
            let inner = box.group.groups.map { Cgroup.Group(path: $0.path + "/inner", version: $0.version) }
            for leaf in inner where leaf.path.contains("cpuset") == false { #expect(mkdir(leaf.path, 0o755) == 0) }
            let joined = inner.filter { access($0.path, F_OK) == 0 }
            try Cgroup(groups: joined).join(child)
            try box.group.freeze()
            #expect(try Cgroup(groups: joined).isFrozen)
            let above = #expect(throws: SystemError.self) { try Cgroup(groups: joined).thaw() }
            #expect(above?.mend?.contains("above") == true)
            try box.group.thaw()
            #expect(try !Cgroup(groups: joined).isFrozen)
        }

        @Test func anEmptyGroupIsFrozenAtOnce() throws {
            let box = try PopulatedGroup()
            defer { box.discard() }
            try box.group.freeze()
            #expect(try box.group.isFrozen)
            try box.group.thaw()
        }

        @Test func whoWouldFreezeItselfIsTold() throws {
            let box = try PopulatedGroup()
            defer { box.discard() }
            let freezer = box.group.groups.filter { leaf in
                ["cgroup.freeze", "freezer.state"].contains { access("\(leaf.path)/\($0)", F_OK) == 0 }
            }
            let layout = try CgroupLayout.current()
            let homes = layout.hierarchies.filter { layout in freezer.contains { $0.path.hasPrefix(layout.mountPoint) }
            }
            try Cgroup(groups: freezer).join(getpid())
            let refused = #expect(throws: SystemError.self) { try box.group.freeze() }
            for home in homes { try writeText("0", to: (home.own ?? home.mountPoint) + "/cgroup.procs") }
            #expect(refused?.code == EDEADLK)
        }

        @Test func whatCannotBeFrozen() throws {
            var limits = CgroupLimits()
            limits.pids = 20
            let group = try make(limits)
            defer { discard(group) }
            if group.groups.allSatisfy({ $0.version == .v1 }) {
                let lacking = #expect(throws: SystemError.self) { try group.freeze() }
                #expect(lacking?.code == ENOTSUP)
            }
            let none = #expect(throws: SystemError.self) { try Cgroup(groups: []).freeze() }
            #expect(none?.code == ENOENT && none?.mend != nil)
            let gone = Cgroup(groups: [.init(path: group.path + "-gone", version: .v2)])
            #expect(throws: SystemError.self) { try gone.thaw() }
        }
    }
}

/// A file that grows.
private struct Counter {
    let path = "/tmp/cgroup-test-\(getpid())"

    init() throws { _ = try Descriptor(open: path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600) }

    var size: Int {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_size : -1
    }

    func remove() { unlink(path) }
}
