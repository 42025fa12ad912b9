/// Says which paths of a tree a program may read and write, before it becomes Landlock's grants.
///
/// Landlock only grants: what a directory is granted holds for all beneath and no later rule takes it back. A subtree
/// that gets less than its parent is therefore made by granting the parent's other entries one by one, down to it.
public struct LandlockTree: Sendable, Equatable {
    public enum Access: Sendable, Equatable {
        case hidden, readOnly, writable

        var rights: LandlockAccess {
            switch self {
            case .hidden: []
            case .readOnly: .readOnly
            case .writable: .readWrite
            }
        }
    }

    /// What holds where nothing else is said.
    public var everythingElse: Access
    /// Absolute paths, symbolic links resolved. Of `readOnly` and `writable` the deepest that includes a file decides,
    /// and `readOnly` for the same path; `hidden` wins over both and over all that is said of paths beneath.
    public var readOnly: [String]
    public var writable: [String]
    public var hidden: [String]
    /// What is granted to a directory that has less access somewhere beneath, although it reaches down there too.
    ///
    /// Empty, nothing leaks, but such a directory cannot be listed and no new file can be made in it. `readDirectory`
    /// makes it listable, and with it the names beneath a hidden directory that no mount covers.
    public var onTheWay: LandlockAccess

    public init(
        everythingElse: Access = .hidden, readOnly: [String] = [], writable: [String] = [], hidden: [String] = [],
        onTheWay: LandlockAccess = []
    ) {
        self.everythingElse = everythingElse
        self.readOnly = readOnly
        self.writable = writable
        self.hidden = hidden
        self.onTheWay = onTheWay
    }

    /// The grants that come to this, and nothing more but `onTheWay`.
    ///
    /// - Parameter list: the names in a directory without `.` and `..`, or nil for what is no directory or not there.
    ///   Called only for directories that have a path with less access beneath them.
    ///
    /// An entry made after the listing gets nothing, so a directory whose entries come and go, such as /proc, should
    /// have no path with less access beneath it.
    public func rules<Failure: Error>(
        list: (String) throws(Failure) -> [String]?
    ) throws(Failure) -> [LandlockRuleset.Rule] {
        var root = Node()
        for path in writable { root.insert(Self.components(path)[...], .writable) }
        for path in readOnly { root.insert(Self.components(path)[...], .readOnly) }
        for path in hidden { root.insert(Self.components(path)[...], .hidden) }
        var rules: [LandlockRuleset.Rule] = []
        try root.grant("/", tree: self, inherited: everythingElse, granted: [], list: list, into: &rules)
        return rules
    }

    /// The names of an absolute path; `.` and empty ones left out, `..` resolved as text.
    private static func components(_ path: String) -> [String] {
        var names: [String] = []
        for name in path.utf8.split(separator: UInt8(ascii: "/")) {
            let text = String(decoding: name, as: UTF8.self)
            if text == "." { continue }
            if text == ".." { names = names.dropLast() } else { names.append(text) }
        }
        return names
    }
}

/// A directory on the way to a path that was spoken of.
private struct Node {
    var access: LandlockTree.Access?
    /// In the order they were first named, so that the result does not change from run to run.
    var children: [(name: String, node: Node)] = []

    mutating func insert(_ path: ArraySlice<String>, _ access: LandlockTree.Access) {
        guard let name = path.first else {
            self.access = access
            if access == .hidden { children = [] }
            return
        }
        let index = children.firstIndex { $0.name == name } ?? children.endIndex
        if index == children.endIndex { children.append((name, Node())) }
        children[index].node.insert(path.dropFirst(), access)
    }

    /// Whether something beneath lacks a right that `rights` hold.
    private func restricts(_ rights: LandlockAccess) -> Bool {
        children.contains { child in
            let less = child.node.access.map { !$0.rights.isSuperset(of: rights) } ?? false
            return less || child.node.restricts(rights)
        }
    }

    /// Adds the rules for this directory and what is beneath; `granted` is what a directory above has granted already.
    func grant<Failure: Error>(
        _ path: String, tree: LandlockTree, inherited: LandlockTree.Access, granted: LandlockAccess,
        list: (String) throws(Failure) -> [String]?, into rules: inout [LandlockRuleset.Rule]
    ) throws(Failure) {
        let access = self.access ?? inherited
        // The largest part of the rights that nothing beneath has to go without.
        var whole = Self.parts(of: access).first { !restricts($0) } ?? []
        if !whole.isSuperset(of: access.rights) { whole.formUnion(tree.onTheWay.intersection(access.rights)) }
        var granted = granted
        if !granted.isSuperset(of: whole) {
            rules.append(.init(path, whole, isListed: self.access == nil && path != "/"))
            granted.formUnion(whole)
        }
        if !granted.isSuperset(of: access.rights) {
            for name in try list(path) ?? [] where !children.contains(where: { $0.name == name }) {
                rules.append(.init(Self.join(path, name), access.rights, isListed: true))
            }
        }
        for (name, node) in children {
            try node.grant(
                Self.join(path, name), tree: tree, inherited: access, granted: granted, list: list, into: &rules)
        }
    }

    private static func parts(of access: LandlockTree.Access) -> [LandlockAccess] {
        switch access {
        case .hidden: []
        case .readOnly: [.readOnly]
        case .writable: [.readWrite, .readOnly]
        }
    }

    private static func join(_ path: String, _ name: String) -> String { path == "/" ? "/" + name : path + "/" + name }
}
