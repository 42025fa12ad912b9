import Glibc
import Testing

@testable import Kernel

struct ProcessAttributeTests {
    @Test(arguments: [
        ("0", [0]), ("0-1,3", [0, 1, 3]), ("3,1,1-2", [1, 2, 3]), ("7-7", [7]), ("8191", [8191]),
    ])
    func processorLists(text: String, expected: [Int]) { #expect(CPUSet(text)?.processors == expected) }

    @Test(arguments: [
        "", ",", "1,", "-1", "1-", "3-1", "a", "0x1", "1 ", "8192", "99999999999999999999", "1-2-3", "+1",
    ])
    func noProcessorLists(text: String) { #expect(CPUSet(text) == nil) }

    @Test func masks() {
        #expect(CPUSet("0-1,3")?.mask == [0b1011])
        #expect(CPUSet("64,127")?.mask == [0, 0x8000_0000_0000_0001])
    }

    @Test func limitNumbersAreTheLibrarys() {
        let pairs: [(ResourceLimit, __rlimit_resource)] = [
            (.as, RLIMIT_AS), (.core, RLIMIT_CORE), (.cpu, RLIMIT_CPU), (.data, RLIMIT_DATA), (.fsize, RLIMIT_FSIZE),
            (.locks, __RLIMIT_LOCKS), (.memlock, __RLIMIT_MEMLOCK), (.msgqueue, __RLIMIT_MSGQUEUE),
            (.nice, __RLIMIT_NICE), (.nofile, RLIMIT_NOFILE), (.nproc, __RLIMIT_NPROC), (.rss, __RLIMIT_RSS),
            (.rtprio, __RLIMIT_RTPRIO), (.rttime, __RLIMIT_RTTIME), (.sigpending, __RLIMIT_SIGPENDING),
            (.stack, RLIMIT_STACK),
        ]
        #expect(pairs.count == ResourceLimit.allCases.count)
        for (limit, number) in pairs { #expect(limit.number == Int32(number.rawValue), "\(limit.rawValue)") }
    }

    @Test func softLimitAboveHardIsAnError() {
        do throws(SystemError) {
            try setLimit(.core, soft: 2, hard: 1)
            Issue.record("a soft limit above the hard one was taken")
        } catch {
            #expect(error.code == EINVAL)
            #expect(error.message.hasPrefix("limit core to 2 (soft) and 1 (hard)"))
        }
    }

    @Test func wrongLevelsAreErrors() {
        #expect(throws: SystemError.self) { try setIOPriority(.bestEffort, level: 8) }
        #expect(throws: SystemError.self) { try setScheduling(.fifo, priority: 100) }
        #expect(throws: SystemError.self) { try setOOMScoreAdjust(1001) }
    }

    @Test func errorNumbersByName() {
        #expect(errorNumber("EPERM") == EPERM)
        #expect(errorNumber("ENOSYS") == ENOSYS)
        #expect(errorNumber("EHWPOISON") == 133)
        #expect(errorNumber("EWOULDBLOCK") == EAGAIN)
        for wrong in ["", "eperm", "EPERMM", "1", "0"] { #expect(errorNumber(wrong) == nil) }
    }
}
