extension Schema {
    /// The language as JSON Schema (draft 2020-12), for editors.
    public static func schemaDocument() -> Value {
        var document: [(key: String, value: Value)] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("title", .string("Profile of a sandbox")),
        ]
        document += object(root)
        return .table(document)
    }

    private static func object(_ keys: [Key]) -> [(key: String, value: Value)] {
        var properties: [(key: String, value: Value)] = []
        for key in keys {
            properties.append((key.name, schema(of: key)))
        }
        return [
            ("type", .string("object")), ("additionalProperties", .bool(false)), ("properties", .table(properties)),
        ]
    }

    private static func schema(of key: Key) -> Value {
        var text = key.summary
        if let fallback = key.fallback { text += ". Default: " + fallback }
        if let basis = key.basis { text += ". See " + basis }
        var schema: [(key: String, value: Value)] = [("description", .string(text + "."))]
        if key.kind.isScalar {
            schema.append(("anyOf", .array([self.schema(of: key.kind), .table([("const", .string("!"))])])))
        } else if case .table(let entries) = self.schema(of: key.kind) {
            schema += entries
        }
        return .table(schema)
    }

    private static func schema(of kind: Kind) -> Value {
        switch kind {
        case .string(let form): form.schema
        case .boolean: type("boolean")
        case .integer(let range):
            .table([
                ("type", .string("integer")), ("minimum", .integer(range.lowerBound)),
                ("maximum", .integer(range.upperBound)),
            ])
        case .number(let range):
            .table([
                ("type", .string("number")), ("minimum", .double(range.lowerBound)),
                ("maximum", .double(range.upperBound)),
            ])
        case .size(let minimum):
            any([
                .table([("type", .string("integer")), ("minimum", .integer(minimum))]),
                pattern("^[0-9]+([KMGTkmgt](iB)?)?$"),
            ])
        case .duration: any([count, pattern("^[0-9]+(ms|s|m|h)?$")])
        case .limit: limit
        case .account: any([count, pattern("^[^-:/\\s][^:/\\s]*$")])
        case .action: action
        case .word: any([count, pattern("^(0x[0-9A-Fa-f]{1,16}|[0-9]{1,20})$")])
        case .list(let element): list(any([schema(of: element), removal]))
        case .vector(let element): list(schema(of: element))
        case .oneOrMore(let form): any([form.schema, list(form.schema)])
        case .namespaces: any([words(["all", "none"]), list(any([words(kindNames + ["all"]), removal]))])
        case .idMapping: idMapping
        case .tables(let keys, let identity): records(keys(), identity)
        case .section(let keys): .table(object(keys()))
        case .map(let form, let element): map(form, element)
        }
    }

    private static func type(_ name: String) -> Value { .table([("type", .string(name))]) }

    static func words(_ words: [String]) -> Value { .table([("enum", .strings(words))]) }

    static func pattern(_ text: String) -> Value { .table([("type", .string("string")), ("pattern", .string(text))]) }

    static func any(_ schemas: [Value]) -> Value { .table([("anyOf", .array(schemas))]) }

    private static func list(_ items: Value) -> Value { .table([("type", .string("array")), ("items", items)]) }

    private static let removal = pattern("^!.")
    private static let count = Value.table([("type", .string("integer")), ("minimum", .integer(0))])
    private static let bound = any([count, pattern("^([0-9]+([KMGTkmgt](iB)?)?|unlimited)$")])

    private static var limit: Value {
        let side = "([0-9]+([KMGTkmgt](iB)?)?|unlimited)"
        let pair = Value.table([
            ("type", .string("object")), ("additionalProperties", .bool(false)),
            ("properties", .table([("soft", bound), ("hard", bound)])), ("required", .strings(["soft", "hard"])),
        ])
        return any([count, pattern("^\(side)(:\(side))?$"), pair])
    }

    private static var action: Value {
        let errno = any([
            words(Names.errnos),
            .table([("type", .string("integer")), ("minimum", .integer(1)), ("maximum", .integer(4095))]),
        ])
        let table = Value.table([
            ("type", .string("object")), ("additionalProperties", .bool(false)),
            ("properties", .table([("errno", errno)])), ("required", .strings(["errno"])),
        ])
        return any([words(Names.actions + Names.errnos), table])
    }

    private static var idMapping: Value {
        let triple = Value.table([
            ("type", .string("array")), ("items", count), ("minItems", .integer(3)), ("maxItems", .integer(3)),
        ])
        return any([words(["self", "auto"]), list(any([pattern("^ *[0-9]+ +[0-9]+ +[0-9]+ *$"), triple, removal]))])
    }

    /// A record is whole, or takes another out.
    private static func records(_ keys: [Key], _ identity: [String]) -> Value {
        var required: [String] = []
        for key in keys where key.isRequired { required.append(key.name) }
        let whole = Value.table(object(keys) + [("required", .strings(required))])
        var choices = [whole]
        for name in identity {
            let mark =
                key(name, in: keys).map(isList) == true
                ? Value.table([("type", .string("array")), ("prefixItems", .array([removal]))]) : removal
            choices.append(
                .table([
                    ("type", .string("object")), ("properties", .table([(name, mark)])), ("required", .strings([name])),
                ]))
        }
        return list(any(choices))
    }

    private static func isList(_ key: Key) -> Bool {
        if case .vector = key.kind { return true }
        return false
    }

    private static func map(_ form: Form, _ element: Kind) -> Value {
        let inner = element.isScalar ? any([schema(of: element), words(["!"])]) : schema(of: element)
        guard case .oneOf(let names) = form else {
            return .table([("type", .string("object")), ("additionalProperties", inner)])
        }
        var properties: [(key: String, value: Value)] = []
        for name in names() { properties.append((name, inner)) }
        return .table([
            ("type", .string("object")), ("additionalProperties", .bool(false)), ("properties", .table(properties)),
        ])
    }
}

extension Form {
    /// The form as JSON Schema.
    fileprivate var schema: Value {
        switch self {
        case .text: .table([("type", .string("string"))])
        case .oneOf(let words): Schema.words(words())
        case .path: Schema.pattern(Form.pathPattern)
        case .pathOr(let word): Schema.any([Schema.words([word]), Schema.pattern(Form.pathPattern)])
        case .profile: Schema.pattern("^([A-Za-z0-9_][A-Za-z0-9._-]*|.*/.*|.*\\.toml)$")
        case .octal: Schema.pattern("^0*[0-7]{1,4}$")
        case .hostname: Schema.pattern("^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$")
        case .cpus: Schema.pattern("^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$")
        case .capability: Schema.any([Schema.words(Names.capabilities + ["ALL"]), Schema.pattern("^[A-Za-z_]+$")])
        case .call: Schema.pattern("^@?[A-Za-z0-9_-]+$")
        case .architecture: Schema.words(Names.architectures)
        case .variable: Schema.pattern("^[^=\\s]+$")
        case .variablePattern: Schema.pattern("^[^=\\s]+$")
        case .bindOption: Schema.words(Names.bindOptions)
        case .tmpfsOption: Schema.words(Names.tmpfsOptions)
        case .joinTarget: Schema.pattern("^(/|sandbox:[A-Za-z0-9_]).*$")
        case .switchName: Schema.pattern("^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$")
        case .interfaceName: Schema.pattern("^[^-/:\\s][^/:\\s]{0,14}$")
        case .address(let words): Schema.any([Schema.words(words), Schema.pattern("^[0-9A-Fa-f.:]+/[0-9]{1,3}$")])
        case .addressOr(let words): Schema.any([Schema.words(words), Schema.pattern("^[0-9A-Fa-f.:]+$")])
        case .mac(let words):
            Schema.any([Schema.words(words), Schema.pattern("^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$")])
        case .route: Schema.pattern("^[0-9A-Fa-f.:]+/[0-9]{1,3} via [0-9A-Fa-f.:]+$")
        case .publication: Schema.pattern("^.*[0-9]+(-[0-9]+)?(/(tcp|udp))?$")
        case .bitRate: Schema.pattern("^[0-9]+(\\.[0-9]{1,3})?[kmg]?bit$")
        case .trafficRule: Schema.pattern("^(tcp|udp|icmp|any)( +(to|from) +\\S+)?$")
        case .identifier: Schema.pattern("^[a-z][a-z0-9-]{0,31}$")
        case .screenSize: Schema.pattern("^[0-9]{2,5}x[0-9]{2,5}$")
        case .busName: Schema.pattern(Form.busNamePattern)
        case .busRule: Schema.pattern(Form.busRulePattern)
        case .statement: Schema.pattern("^.*\\S.*$")
        case .functionReference: Schema.pattern("^[^?@]+(\\?[^@]+)?(@[A-Za-z0-9_][A-Za-z0-9._-]*)?$")
        case .restart: Schema.any([Schema.words(Form.restartWords), Schema.pattern("^on-failure:[0-9]+$")])
        case .signal:
            Schema.any([Schema.words(Names.signals), Schema.pattern("^([Ss][Ii][Gg])?[A-Za-z]+[0-9]?([+-][0-9]+)?$")])
        }
    }

    private static let pathPattern = "^(/|~$|~/|\\$(HOME|PWD)(/|$)|\\$XDG_[A-Z_]+(/|$))"
}
