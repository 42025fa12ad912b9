extension ProfileReader {
    /// The schema lets nothing through that does not read; a launch never goes on should it have.
    func notRead(_ key: String) -> ProfileError {
        ProfileError(key: key, problem: "a value that cannot be read")
    }

    func text(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> String? {
        switch value {
        case nil: return nil
        case .string(let text): return text
        default: throw notRead(key())
        }
    }

    /// A name or a number, as text.
    func account(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> String? {
        if case .integer(let number)? = value { return String(number) }
        return try text(value, key())
    }

    func flag(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> Bool? {
        switch value {
        case nil: return nil
        case .bool(let flag): return flag
        default: throw notRead(key())
        }
    }

    func integer(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> Int? {
        switch value {
        case nil: return nil
        case .integer(let number): return number
        default: throw notRead(key())
        }
    }

    func size(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> UInt64? {
        guard let value else { return nil }
        guard let size = Quantity.size(value) else { throw notRead(key()) }
        return size
    }

    /// Milliseconds.
    func duration(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> Int? {
        guard let value else { return nil }
        guard let duration = Quantity.duration(value) else { throw notRead(key()) }
        return duration
    }

    func octal(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> UInt32? {
        guard let text = try text(value, key()) else { return nil }
        guard let mode = UInt32(text, radix: 8) else { throw notRead(key()) }
        return mode
    }

    func limit(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> Profile.Limit? {
        guard let value else { return nil }
        guard let limit = Quantity.limit(value) else { throw notRead(key()) }
        return limit
    }

    func action(_ value: Value, _ key: @autoclosure () -> String) throws(ProfileError) -> Profile.SeccompAction {
        guard let action = Quantity.action(value) else { throw notRead(key()) }
        return action
    }

    func word<Word: RawRepresentable<String>>(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError)
        -> Word?
    {
        guard let text = try text(value, key()) else { return nil }
        guard let word = Word(rawValue: text) else { throw notRead(key()) }
        return word
    }

    func items(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> [Value]? {
        switch value {
        case nil: return nil
        case .array(let items): return items
        default: throw notRead(key())
        }
    }

    func entries(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> [(
        key: String, value: Value
    )] {
        switch value {
        case nil: return []
        case .table(let entries): return entries
        default: throw notRead(key())
        }
    }

    func texts(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError) -> [String]? {
        guard let items = try items(value, key()) else { return nil }
        var texts: [String] = []
        for item in items {
            guard let text = try account(item, key()) else { throw notRead(key()) }
            texts.append(text)
        }
        return texts
    }

    func words<Word: RawRepresentable<String>>(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError)
        -> [Word]?
    {
        guard let items = try items(value, key()) else { return nil }
        var words: [Word] = []
        for item in items {
            guard let word: Word = try word(item, key()) else { throw notRead(key()) }
            words.append(word)
        }
        return words
    }

    func integers<Number: FixedWidthInteger>(_ value: Value?, _ key: @autoclosure () -> String) throws(ProfileError)
        -> [Number]?
    {
        guard let items = try items(value, key()) else { return nil }
        var numbers: [Number] = []
        for item in items {
            guard let integer = try integer(item, key()), let number = Number(exactly: integer) else {
                throw notRead(key())
            }
            numbers.append(number)
        }
        return numbers
    }
}
