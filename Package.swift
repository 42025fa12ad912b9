// swift-tools-version: 6.2
import PackageDescription

/// Every target speaks Swift 6 and compiles without a warning.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// Makes unshare(2), pipe2(2), O_PATH and their like visible in Swift's Glibc module.
let gnu: [CSetting] = [.define("_GNU_SOURCE")]

/// A release executable is linked statically, so that it starts as fast as C and runs in an empty root directory.
/// Dependencies compiled against the shared libraries do not autolink these, hence the list.
let staticLink: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-static-executable", "-Xlinker", "-s", "-Xlinker", "--start-group", "-lFoundation", "-lCoreFoundation",
            "-l_FoundationICU", "-lFoundationInternationalization", "-lFoundationEssentials", "-l_FoundationCShims",
            "-l_FoundationCollections", "-lswiftDispatch", "-lswiftSynchronization", "-Xlinker", "--end-group",
        ],
        .when(configuration: .release)
    )
]

func layer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, cSettings: gnu, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude, cSettings: gnu,
        swiftSettings: strict)
}

let package = Package(
    name: "sandbox",
    products: [
        .executable(name: "sandbox", targets: ["sandbox"]),
        .library(name: "SandboxKit", targets: ["SandboxKit"]),
        .library(name: "SandboxAsync", targets: ["SandboxAsync"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .target(name: "CLinux", cSettings: gnu),
        .target(name: "CDigest"),
        .systemLibrary(name: "CNetlink", pkgConfig: "libnl-3.0", providers: [.apt(["libnl-3-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CCapability", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
        .systemLibrary(name: "CNettle", pkgConfig: "nettle", providers: [.apt(["nettle-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        layer("Kernel", ["CLinux", "CSeccomp", "CCapability"]),
        layer("Netlink", ["Addresses", "CNetlink", "CLinux", "Kernel"]),
        layer("Addresses", []),
        layer("Profile", ["Addresses", .product(name: "TOMLKit", package: "TOMLKit")]),
        layer("Launch", ["Addresses", "Kernel", "Netlink", "Profile", "CLinux"]),
        layer("Switching", ["Addresses", "Profile", "Netlink", "Kernel", "CLinux"]),
        .target(
            name: "Checkpoint",
            dependencies: [
                "Switching", "Launch", "Profile", "Netlink", "Kernel", "CLinux", "CDigest", "CNettle",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["RPC/rpc.proto"], cSettings: gnu, swiftSettings: strict),
        layer(
            "SandboxKit",
            ["Checkpoint", "Launch", "Switching", "Addresses", "Profile", "Kernel", "Netlink", "CLinux", "CPNG"]),
        layer("SandboxAsync", ["SandboxKit", "Launch", "Kernel", "CLinux"]),
        .executableTarget(
            name: "sandbox",
            dependencies: [
                "SandboxKit", "Checkpoint", "Switching", "Launch", "Profile", "Addresses", "Netlink", "Kernel",
                "CLinux", "CCapability",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            cSettings: gnu, swiftSettings: strict, linkerSettings: staticLink),
        .executableTarget(
            name: "watch-sandbox", dependencies: ["SandboxAsync"], cSettings: gnu, swiftSettings: strict),
        tests("KernelTests", ["Kernel"]),
        tests("NetlinkTests", ["Addresses", "Netlink", "Kernel", "CLinux", "CNetlink"]),
        tests("ProfileTests", ["Profile"]),
        tests("LaunchTests", ["Addresses", "Launch"]),
        tests("SwitchingTests", ["Switching", "Addresses", "Profile", "Netlink", "Kernel"]),
        tests("CheckpointTests", ["Checkpoint", "Profile", "Kernel"]),
        tests("SandboxKitTests", ["SandboxKit", "Launch", "Profile", "Netlink", "Kernel"]),
        tests(
            "CommandTests",
            [
                "sandbox", "SandboxKit", "Checkpoint", "Switching", "Launch", "Profile", "Addresses", "Netlink",
                "Kernel",
            ]),
        tests(
            "Integration", ["sandbox", "watch-sandbox", "SandboxAsync", "Profile", "CLinux"], exclude: ["Payloads"]),
    ]
)
