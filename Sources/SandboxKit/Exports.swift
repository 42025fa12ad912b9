// What the library's own signatures are made of: `import SandboxKit` is enough to use it.
@_exported public import Kernel
@_exported public import Launch
@_exported public import Profile
