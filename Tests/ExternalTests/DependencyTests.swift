import RasaCore
import RasaSystem
import RasaTestKit
import Testing

/// A Swift package that uses the library as README.md says.
@Suite("RasaKit as a dependency") struct DependencyTests {
  /// The manifest of README.md.
  private static func manifest() throws -> String {
    let blocks = try Repository.text("README.md").split(
      separator: "```", omittingEmptySubsequences: false)
    let block = try #require(blocks.first { $0.hasPrefix("swift\n// Package.swift\n") })
    return String(block.dropFirst("swift\n// Package.swift\n".count))
  }

  private func resolve(_ manifest: String) async throws -> ProgramRun {
    let scratch = ScratchDirectory()
    try scratch.write(
      "// swift-tools-version: 6.2\nimport PackageDescription\n\n\(manifest)",
      to: "app/Package.swift")
    try scratch.write("import RasaKit\n", to: "app/Sources/app/main.swift")
    let environment = Environment.ofProcess().variables
    return try await ProgramRun.run(
      "/bin/sh",
      [
        "-euc",
        "ln -s \"$1\" ../rasa; exec swift package --scratch-path ../build show-dependencies",
        "sh", Repository.path(""),
      ], environment: environment, folder: scratch.file("app"))
  }

  @Test("the manifest of README.md resolves, and has the product that it names")
  func resolves() async throws {
    let manifest = try Self.manifest()
    let run = try await resolve(manifest)
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.text.contains("rasa"), "\(run.text)")
    // Resolving does notice a product that is not there.
    let wrong = try await resolve(manifest.replacing("\"RasaKit\"", with: "\"RasaKitty\""))
    #expect(wrong.exitCode != 0 && wrong.errorText.contains("RasaKitty"), "\(wrong.errorText)")
  }
}
