import RasaCore
import RasaKit

/// What this binary is made of, for bug reports: `rasa version --json`.
struct BuildReport {
  var version: String
  var swift: String
  var platform: String
  /// The newest form of each kind of file that it writes, by the file's name.
  var schemas: [(name: String, version: Int64)]
  /// The libraries that it uses, by name.
  var libraries: [(name: String, version: String)]

  static var current: BuildReport {
    BuildReport(
      version: Program.version, swift: Self.compiler, platform: Self.platform,
      schemas: BuiltWith.schemas, libraries: BuiltWith.libraries)
  }

  var value: Value {
    [
      "version": .string(version), "swift": .string(swift), "platform": .string(platform),
      "schemas": .object(ValueObject(schemas.map { ($0.name, .int($0.version)) })),
      "libraries": .object(ValueObject(libraries.map { ($0.name, .string($0.version)) })),
    ]
  }

  private static var compiler: String {
    #if swift(>=6.4)
      "6.4 or later"
    #elseif swift(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }

  private static var platform: String {
    #if arch(x86_64)
      let machine = "x86_64"
    #elseif arch(arm64)
      let machine = "aarch64"
    #else
      let machine = "other"
    #endif
    #if os(Linux)
      return "linux-\(machine)"
    #else
      return "other-\(machine)"
    #endif
  }
}
