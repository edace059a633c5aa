/// What a program left behind when it ended.
package struct ProgramRun: Sendable {
  package var output: [UInt8]
  package var errorOutput: [UInt8]
  /// 128 and more for signals, as a shell has it.
  package var exitCode: Int32

  package var text: String { String(decoding: output, as: UTF8.self) }
  package var errorText: String { String(decoding: errorOutput, as: UTF8.self) }

  /// Runs a program with exactly this environment and input until it ends. At the limit it is
  /// killed with all that it started, and the call fails.
  package static func run(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
    input: [UInt8] = [], folder: String? = nil, limit: Duration = .seconds(60)
  ) async throws -> ProgramRun {
    try await RunningProgram(
      program, arguments, environment: environment, input: input, folder: folder, limit: limit
    ).finish()
  }
}
