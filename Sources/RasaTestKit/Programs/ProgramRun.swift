/// The result of a program that has ended.
package struct ProgramRun: Sendable {
  package var output: [UInt8]
  package var errorOutput: [UInt8]
  /// As in a shell: 128 and more for signals.
  package var exitCode: Int32

  package var text: String { String(decoding: output, as: UTF8.self) }
  package var errorText: String { String(decoding: errorOutput, as: UTF8.self) }

  /// Runs a program with exactly this environment and input until it ends. At the limit it is
  /// killed with everything that it started, and the call fails.
  package static func run(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
    input: [UInt8] = [], folder: String? = nil, limit: Duration = .seconds(60)
  ) async throws -> ProgramRun {
    try await RunningProgram(
      program, arguments, environment: environment, input: input, folder: folder, limit: limit
    ).finish()
  }
}
