import CLinux
import CNetlink
import Glibc
public import Kernel
import Synchronization

/// A socket for rtnetlink(7): it speaks of the network namespace that it was opened in, wherever its user is.
public struct NetlinkSocket: ~Copyable, Sendable {
    private let descriptor: Descriptor
    private let sequence = Atomic<UInt32>(0)

    /// In the calling thread's network namespace.
    public init() throws(SystemError) {
        let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = try check("open a netlink socket") { socket(AF_NETLINK, type, NETLINK_ROUTE) }
        try self.init(Descriptor(number))
    }

    /// In the network namespace behind a descriptor: the namespace's own, or a process's (pidfd_open(2)).
    ///
    /// Without CAP_SYS_ADMIN over it the caller must own its user namespace, and name a process. The calling thread
    /// stays where it is.
    /// - Parameter home: see ``openSocket(in:from:_:_:_:)``.
    public init(in namespace: Int32, from home: Int32? = nil) throws(SystemError) {
        try self.init(openSocket(in: namespace, from: home, AF_NETLINK, Int32(SOCK_RAW.rawValue), NETLINK_ROUTE))
    }

    /// The same for another of netlink's families, such as NETLINK_SOCK_DIAG.
    init(in namespace: Int32, protocol: Int32) throws(SystemError) {
        try self.init(openSocket(in: namespace, AF_NETLINK, Int32(SOCK_RAW.rawValue), `protocol`))
    }

    private init(_ socket: consuming Descriptor) throws(SystemError) {
        descriptor = socket
        let number = descriptor.number
        // The kernel's words about a failure, and a failed request is not sent back whole.
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] {
            var on: Int32 = 1
            try check("set up a netlink socket") { setsockopt(number, SOL_NETLINK, option, &on, 4) }
        }
    }

    /// Sends a request and waits until the kernel has done it.
    public func send(_ message: NetlinkMessage) throws(SystemError) { try send([message]) }

    /// Sends requests, as many as possible with one system call each 32, and waits until the kernel has done them.
    ///
    /// They are done in order and none is taken back: after one that fails those behind it are still tried, and the
    /// first failure is thrown. So none may rely on a name that one before it makes, which somebody else can have.
    public func send(_ messages: [NetlinkMessage]) throws(SystemError) { try exchange(messages) }

    /// The same, and one request behind them whose failure is an answer.
    /// - Returns: that failure, where there is one.
    public func send(
        _ messages: [NetlinkMessage], thenTry last: NetlinkMessage
    ) throws(SystemError) -> SystemError? {
        var answer: SystemError?
        let all = messages + [last]
        try exchange(
            all,
            failure: { place, failure throws(SystemError) in
                if place < messages.count { throw failure }
                answer = failure
            })
        return answer
    }

    /// Sends requests: each one's failure, or nil, in order.
    public func outcomes(of messages: [NetlinkMessage]) throws(SystemError) -> [SystemError?] {
        var outcomes = [SystemError?](repeating: nil, count: messages.count)
        try exchange(
            messages, failure: { place, failure throws(SystemError) in outcomes[place] = failure })
        return outcomes
    }

    /// Sends requests and gives what the kernel answers besides its acknowledgements to `answer`.
    /// - Parameter failure: is told what has failed, by its place; nothing is sent any more when it throws.
    func exchange(
        _ messages: [NetlinkMessage], flags: Int32 = 0, answer: (NetlinkReply) -> Void = { _ in },
        failure: (Int, SystemError) throws(SystemError) -> Void = { _, failure throws(SystemError) in throw failure }
    ) throws(SystemError) {
        // So few at a time that all answers fit in the socket's buffer.
        for start in stride(from: 0, to: messages.count, by: 32) {
            let part = messages[start..<min(start + 32, messages.count)]
            try exchange(part: part, flags: flags, answer: answer, failure: failure)
        }
    }

    private func exchange(
        part messages: ArraySlice<NetlinkMessage>, flags: Int32, answer: (NetlinkReply) -> Void,
        failure: (Int, SystemError) throws(SystemError) -> Void
    ) throws(SystemError) {
        // They are done in order, and failures told without being asked for: when the last one is done all are.
        let first = try transmit(messages, flags: NLM_F_REQUEST | flags, lastToo: NLM_F_ACK)
        var thrown: SystemError?
        var isDone = false
        while !isDone {
            for reply in NetlinkReplies(in: try receive()) {
                // An earlier request's answer can be left over when its reader failed.
                let place = Int(reply.sequence &- first)
                if place >= messages.count { continue }
                if reply.type != Int(NLMSG_ERROR) {
                    answer(reply)
                    continue
                }
                if place == messages.count - 1 { isDone = true }
                let request = messages.startIndex + place
                guard thrown == nil, let error = self.failure(of: messages[request], reply) else { continue }
                do throws(SystemError) { try failure(request, error) } catch { thrown = error }
            }
        }
        if let thrown { throw thrown }
    }

    /// Sends a request for a list and gives each of its entries to `body`.
    ///
    /// A list that changed while the kernel wrote it is asked for again, so `reset` is called before each try.
    func dump(
        _ message: NetlinkMessage, reset: () -> Void, _ body: (NetlinkReply) -> Void
    ) throws(SystemError) {
        for _ in 0..<50 {
            reset()
            if try dumpOnce(message, body) { return }
        }
        throw SystemError(message.action, code: EAGAIN, mend: "it changes faster than it can be read; try again")
    }

    /// False when the list changed meanwhile.
    private func dumpOnce(_ message: NetlinkMessage, _ body: (NetlinkReply) -> Void) throws(SystemError) -> Bool {
        let sequence = try transmit([message], flags: NLM_F_REQUEST | NLM_F_DUMP)
        var isConsistent = true
        while true {
            for reply in NetlinkReplies(in: try receive(partOfList: true)) where reply.sequence == sequence {
                if reply.flags & NLM_F_DUMP_INTR != 0 { isConsistent = false }
                switch reply.type {
                case Int(NLMSG_DONE), Int(NLMSG_ERROR):
                    if let failure = failure(of: message, reply) { throw failure }
                    return isConsistent
                default: body(reply)
                }
            }
        }
    }

    /// Sends them in one datagram.
    /// - Parameter lastFlags: for the last one, beside the others.
    /// - Returns: the first one's sequence number; the others' follow.
    private func transmit(
        _ messages: ArraySlice<NetlinkMessage>, flags: Int32, lastToo lastFlags: Int32 = 0
    ) throws(SystemError) -> UInt32 {
        let count = UInt32(messages.count)
        let first = sequence.add(count, ordering: .relaxed).newValue &- count &+ 1
        var bytes: [UInt8] = []
        bytes.reserveCapacity(messages.count * 512)
        for (place, message) in messages.enumerated() {
            let own = place == messages.count - 1 ? flags | lastFlags : flags
            if !message.write(to: &bytes, sequence: first &+ UInt32(place), flags: own) {
                throw SystemError(message.action, code: EMSGSIZE)
            }
        }
        let socket = descriptor.number
        try check(messages.first?.action ?? "send nothing") { Int32(Glibc.send(socket, bytes, bytes.count, 0)) }
        return first
    }

    private func receive(partOfList isPart: Bool = false) throws(SystemError) -> [UInt8] {
        try receiveDatagram(
            descriptor.number, "hear from the kernel's network", capacity: isPart ? listCapacity : nil)
    }

    private func failure(of message: NetlinkMessage, _ reply: NetlinkReply) -> SystemError? {
        let code = reply.code
        if code == 0 { return nil }
        return SystemError(message.action, code: code, mend: reply.explanation.map { "the kernel says: \($0)" })
    }
}

/// Bytes that a part of a list can have: the kernel makes them no larger than what their reader has for them.
let listCapacity = 32768

/// What the kernel has said next (recv(2)).
/// - Parameter capacity: bytes that it can have; nil: those that it has, which are asked for.
func receiveDatagram(_ socket: Int32, _ action: StaticString, capacity: Int? = nil) throws(SystemError) -> [UInt8] {
    var count: Int32 = 0
    let size: Int
    if let capacity {
        size = capacity
    } else {
        size = Int(try check("\(action)") { Int32(recv(socket, nil, 0, Int32(MSG_PEEK | MSG_TRUNC))) })
    }
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
        do throws(SystemError) {
            count = try check("\(action)") { Int32(recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_TRUNC))) }
        } catch {
            failure = error
        }
        filled = min(Int(count), buffer.count)
    }
    if let failure { throw failure }
    if Int(count) > bytes.count { throw SystemError("\(action)", code: EMSGSIZE) }
    return bytes
}
