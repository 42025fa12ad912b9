@_exported public import SandboxKit
