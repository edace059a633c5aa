// swift-tools-version: 6.2
import PackageDescription

/// One set of compiler settings for every Swift target: the language mode and the checks that the
/// house style asks for. `RASA_STRICT=1` (set by `make lint` and the continuous integration) turns
/// warnings into errors.
let strict = Context.environment["RASA_STRICT"] == "1"
/// Set by the continuous integration, which is faster without: nobody debugs what it builds.
let hasDebugInformation = Context.environment["RASA_NO_DEBUG_INFORMATION"] != "1"
/// Set by `make sanitize`.
let sanitizesThreads = Context.environment["RASA_THREAD_SANITIZER"] == "1"
/// Set by `Scripts/release.sh`: the folder with the static libraries that go before shared ones of the same name. Where
/// it holds libcurl, the release binary contains that, too (`Sources/CCurl/LinkedCurl.c`).
let staticLibraries = Context.environment["RASA_STATIC_LIBRARIES"]
let containsCurl = Context.environment["RASA_STATIC_CURL"] == "1"
let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    // Fault points, at which a test may kill the process; a release contains none.
    .define("RASA_FAULTS", .when(configuration: .debug)),
  ] + (strict ? [.treatAllWarnings(as: .error)] : [])
  + (hasDebugInformation ? [] : [.unsafeFlags(["-gnone"], .when(configuration: .debug))])
  + (sanitizesThreads ? [.define("RASA_THREAD_SANITIZER")] : [])

func library(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [],
  links: [LinkerSetting] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings,
    linkerSettings: links)
}
func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + dependencies,
    exclude: exclude, swiftSettings: settings)
}
/// A C library from the system, with the typed shims that Swift needs for its variadic functions.
func shim(_ name: String, links libraries: [String], whole archives: [String] = []) -> Target {
  .target(name: name, linkerSettings: linked(libraries, whole: archives))
}
/// In the release binary small libraries are linked in whole: every library that has to be found, mapped and searched
/// at each start is time before the first token. `whole` names their archives, with those that they need in turn.
func linked(_ libraries: [String], whole archives: [String] = []) -> [LinkerSetting] {
  let isPart = !archives.isEmpty
  return libraries.map { .linkedLibrary($0, isPart ? .when(configuration: .debug) : nil) }
    + archives.map { .linkedLibrary(":\($0)", .when(configuration: .release)) }
}

let package = Package(
  name: "rasa",
  products: [
    .executable(name: "rasa", targets: ["rasa"]),
    .library(name: "RasaKit", targets: ["RasaKit"]),
  ],
  targets: [
    // The executable: composition root.
    .executableTarget(
      name: "rasa", dependencies: ["RasaCLI", "RasaProcess", "RasaSystem"], swiftSettings: settings,
      // A fixed address spares 30,000 relocations, and with them a hundred page faults, at every
      // start.
      linkerSettings: [
        .unsafeFlags(
          [
            "-Xclang-linker", "-no-pie", "-Xlinker", "--exclude-libs=ALL", "-Xlinker",
            "--no-export-dynamic", "-Xlinker", "--gc-sections",
          ] + (staticLibraries.map { ["-L", $0, "-Xclang-linker", "-static-libgcc"] } ?? []),
          .when(configuration: .release))
      ]),

    // Edges.
    library("RasaCLI", ["RasaCore", "RasaSystem", "RasaTerminal", "RasaKit", "RasaServer"]),
    // What other programs reach: the HTTP API, the protocols of their clients, MCP and ACP.
    library(
      "RasaServer", ["RasaCore", "RasaSystem", "RasaDocuments", "RasaHTTPServer", "RasaKit"]),
    library(
      "RasaKit",
      [
        "RasaCore", "RasaSystem", "RasaDocuments", "RasaPersona", "RasaEngine", "RasaStore",
        "RasaModels", "RasaHTTPClient", "RasaAgents", "RasaSQLite", "RasaTools", "RasaLearning",
      ],
      // Read by `make docs`.
      exclude: ["RasaKit.docc"]),

    // Adapters.
    library(
      "RasaAgents", ["RasaCore", "RasaSystem", "RasaDocuments", "RasaLanguage", "RasaPersona"]),
    library(
      "RasaModels",
      ["RasaCore", "RasaSystem", "RasaDocuments", "RasaHTTPClient", "RasaPersona", "RasaEngine"]),
    library(
      "RasaTools",
      [
        "RasaCore", "RasaSystem", "RasaDocuments", "RasaHTTPClient", "RasaHTTPServer",
        "RasaProcess", "RasaPersona", "RasaEngine",
      ]),
    library(
      "RasaStore",
      [
        "RasaCore", "RasaSystem", "RasaDocuments", "RasaSQLite", "RasaPersona", "RasaEngine",
        "RasaMemory", "RasaLearning",
      ]),

    // Domain.
    // How memories are found and which of them hold; no input or output.
    library("RasaMemory", ["RasaCore", "RasaLanguage"]),
    // Scores, statistics and choices made of them; no input or output.
    library("RasaLearning", ["RasaCore", "RasaLanguage"]),
    library(
      "RasaEngine", ["RasaCore", "RasaDocuments", "RasaPersona", "RasaMemory", "RasaLearning"]),
    library("RasaPersona", ["RasaCore", "RasaDocuments", "RasaLanguage"]),

    // Values everything else speaks in.
    library("RasaCore", ["CUnicode", "CCrypto"]),

    // Wrappers: the only places with unsafe pointers.
    library(
      "RasaLanguage", ["CLanguage", "CStemmer", "CUnicode"],
      links: linked(["stemmer"], whole: ["libstemmer.a"])),
    library(
      "RasaDocuments", ["RasaCore", "CYAML", "CTOML"], links: linked(["yaml"], whole: ["libyaml.a"])
    ),
    library("RasaHTTPClient", ["RasaCore", "RasaSystem", "CCurl", "CSystem"]),
    library("RasaHTTPServer", ["RasaCore", "RasaSystem", "CMicroHTTP", "CSystem"]),
    library("RasaProcess", ["RasaCore", "RasaSystem", "CSystem"]),
    library("RasaSQLite", ["RasaCore", "CSQLite", "CZlib"]),
    library("RasaTerminal", ["RasaCore", "RasaSystem", "CEdit", "CSystem"]),
    library("RasaSystem", ["RasaCore", "CSystem", "CZlib", "CResources"]),

    // C libraries.
    containsCurl
      ? .target(
        name: "CCurl",
        cSettings: [.define("RASA_STATIC_CURL", .when(configuration: .release))],
        linkerSettings: [
          .linkedLibrary("curl", .when(configuration: .debug)),
          .linkedLibrary(":libcurl.a", .when(configuration: .release)),
          .linkedLibrary("ssl"), .linkedLibrary("crypto"),
          .linkedLibrary(":libnghttp2.so.14", .when(configuration: .release)),
        ])
      : shim("CCurl", links: ["curl"]),
    .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
    shim("CTOML", links: ["stdc++"]),
    .systemLibrary(name: "CStemmer", providers: [.apt(["libstemmer-dev"])]),
    shim("CUnicode", links: ["utf8proc"], whole: ["libutf8proc.a"]),
    shim("CSQLite", links: ["sqlite3"], whole: ["libsqlite3.a"]),
    shim("CZlib", links: ["z"], whole: ["libz.a"]),
    shim("CCrypto", links: ["crypto"]),
    shim("CEdit", links: ["edit"], whole: ["libedit.a", "libtinfo.a", "libbsd.a", "libmd.a"]),
    shim("CSystem", links: []),
    // Loads its library when the first text is stored.
    shim("CLanguage", links: []),
    // Loads its library when the first server starts.
    shim("CMicroHTTP", links: []),
    shim("CResources", links: []),
    shim("CTestTLS", links: ["ssl", "crypto"]),

    // What tests and benchmarks talk to.
    library(
      "RasaTestKit",
      [
        "RasaCore", "RasaSystem", "RasaDocuments", "RasaHTTPServer", "RasaLearning", "CSystem",
        "CTestTLS",
      ]),
    // Runs whose models, people and tools follow a script.
    library(
      "RasaStage",
      [
        "RasaCore", "RasaSystem", "RasaPersona", "RasaEngine", "RasaStore", "RasaModels",
        "RasaTools",
        "RasaKit", "RasaTestKit",
      ]),
    .executableTarget(
      name: "rasa-provider", dependencies: ["RasaTestKit", "RasaSystem"], swiftSettings: settings),
    .executableTarget(
      name: "rasa-mcp-server", dependencies: ["RasaTestKit", "RasaCore", "RasaSystem"],
      swiftSettings: settings),
    // How a program uses the library.
    .executableTarget(
      name: "rasakit-example", dependencies: ["RasaKit"], path: "Examples/rasakit-example",
      swiftSettings: settings),
    // A program with an operator of its own, which tests kill.
    .executableTarget(
      name: "rasa-with-tool", dependencies: ["RasaKit", "RasaSystem"],
      path: "Tests/Programs/rasa-with-tool", swiftSettings: settings),
    // A program that starts others, which tests kill.
    .executableTarget(
      name: "rasa-children", dependencies: ["RasaProcess", "RasaSystem"],
      path: "Tests/Programs/rasa-children", swiftSettings: settings),
    .executableTarget(
      name: "rasa-bench",
      dependencies: [
        "RasaCore", "RasaSystem", "RasaDocuments", "RasaMemory", "RasaPersona", "RasaEngine",
        "RasaStore",
        "RasaModels", "RasaHTTPClient", "RasaAgents", "RasaKit", "RasaTestKit", "RasaStage",
        "RasaTerminal", "RasaTools", "RasaProcess", "RasaLearning",
      ],
      swiftSettings: settings),

    tests("RasaCore", []),
    tests("RasaDocuments", ["RasaCore", "RasaTestKit"]),
    tests("RasaSystem", ["RasaCore", "RasaTestKit"]),
    tests("RasaHTTPClient", ["RasaCore", "RasaSystem", "RasaDocuments", "RasaTestKit"]),
    tests("RasaHTTPServer", ["RasaCore", "RasaSystem", "RasaTestKit"]),
    tests("RasaProcess", ["RasaCore", "RasaSystem", "RasaTestKit"]),
    tests(
      "RasaTools",
      [
        "RasaCore", "RasaSystem", "RasaDocuments", "RasaHTTPClient", "RasaHTTPServer",
        "RasaProcess", "RasaPersona", "RasaEngine", "RasaTestKit",
      ]),
    tests(
      "RasaServer",
      [
        "RasaCore", "RasaSystem", "RasaDocuments", "RasaHTTPServer", "RasaHTTPClient", "RasaKit",
        "RasaTestKit",
      ]),
    tests("RasaMemory", ["RasaCore", "RasaLanguage", "RasaTestKit"]),
    tests("RasaLearning", ["RasaCore", "RasaTestKit"]),
    tests("RasaSQLite", ["RasaCore", "RasaSystem", "RasaTestKit"]),
    tests("RasaTerminal", ["RasaCore", "RasaSystem", "CSystem", "RasaTestKit"]),
    tests("RasaPersona", ["RasaCore", "RasaDocuments", "RasaTestKit", "CResources"]),
    tests(
      "RasaEngine",
      [
        "RasaCore", "RasaSystem", "RasaDocuments", "RasaPersona", "RasaLearning", "RasaTestKit",
      ]),
    tests("RasaAgents", ["RasaCore", "RasaSystem", "RasaDocuments", "RasaPersona", "RasaTestKit"]),
    tests(
      "RasaKit",
      [
        "RasaCore", "RasaSystem", "RasaPersona", "RasaEngine", "RasaHTTPClient", "RasaTools",
        "RasaAgents", "RasaModels", "RasaTestKit", "RasaStage",
      ]),
    tests(
      "RasaStore",
      [
        "RasaCore", "RasaSystem", "RasaEngine", "RasaSQLite", "RasaPersona", "RasaMemory",
        "RasaLearning", "RasaTestKit",
      ]),
    tests(
      "RasaModels",
      [
        "RasaCore", "RasaSystem", "RasaDocuments", "RasaHTTPClient", "RasaPersona", "RasaEngine",
        "RasaStore", "RasaTestKit",
      ]),
    tests(
      "RasaCLI",
      [
        "RasaCore", "RasaSystem", "RasaDocuments", "RasaTestKit", "RasaTerminal", "RasaEngine",
        "RasaPersona", "RasaSQLite", "RasaAgents", "RasaKit", "RasaStore",
      ],
      exclude: ["Snapshots"]),
    // What needs programs that are no part of a build: `make test-external`.
    .testTarget(
      name: "ExternalTests",
      dependencies: [
        "rasa", "RasaCore", "RasaSystem", "RasaDocuments", "RasaHTTPClient", "RasaPersona",
        "RasaEngine", "RasaProcess", "RasaTools", "RasaTestKit", "RasaStage",
      ],
      swiftSettings: settings),
  ],
  cxxLanguageStandard: .cxx17
)
