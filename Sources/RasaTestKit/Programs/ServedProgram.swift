import RasaCore
import RasaSystem

/// `rasa serve` as a process of its own, which a test can kill.
package final class ServedProgram: Sendable {
  package let port: UInt16
  package let token: String
  private let program: RunningProgram

  /// Starts it, and returns when it takes requests.
  ///
  /// - Parameter options: beyond the place, which is a free port of this machine.
  package init(_ rasa: RasaProgram, _ options: [String] = []) async throws {
    let said = rasa.home.file("serve.json")
    try? FileSystem.removeFile(said)
    program = try RunningProgram(
      "/bin/sh",
      [
        "-c", "exec \"$0\" serve --listen 127.0.0.1:0 --json \"$@\" > serve.json",
        RasaProgram.binary,
      ] + options,
      environment: rasa.environment, folder: rasa.home.path, atLimit: .kill)
    while true {
      let text = String(
        decoding: (try? FileSystem.readIfPresent(said, limit: 65_536)) ?? [], as: UTF8.self)
      if text.hasSuffix("}\n"),
        let url = text.split(separator: "\"").first(where: { $0.hasPrefix("http://127.0.0.1:") })
      {
        port = UInt16(url.split(separator: ":").last ?? "") ?? 0
        break
      }
      try Task.checkCancellation()
      await Task.yield()
    }
    let file = try FileSystem.read(rasa.home.file("server.token"), limit: 4_096)
    token = String(decoding: file.filter { $0 > 0x20 }, as: UTF8.self)
  }

  package func signal(_ number: Int32) { program.signal(number) }
  package func finish() async throws -> ProgramRun { try await program.finish() }
}
