import RasaCore
import RasaPersona
import RasaProcess
import RasaSystem
import RasaTools

extension Row {
  static let sandboxedStart = Row("start of a sandboxed process") { bench, row in
    let environment = Environment.ofProcess()
    let settings = SandboxSettings(
      environment, folders: try RasaFolders(environment), helper: bench.rasa)
    let launcher = SandboxLauncher(settings) { _ in }
    let bare = BareLauncher()
    let time = TimeSource.system
    /// Milliseconds from the start to the end of a program that does nothing.
    func run(_ launcher: any ProcessLauncher, _ sandbox: ToolSandbox) async throws -> Double {
      let start = time.monotonic()
      let child = try await launcher.start(ChildCommand(["/bin/true"]), in: sandbox)
      let status = await child.wait()
      guard status.isSuccess else {
        throw Failure(.run, "the program in the sandbox failed: \(child.errorTail)")
      }
      return Double(time.monotonic() - start) / 1e6
    }
    let closed = ToolSandbox()
    var named = ToolSandbox()
    named.network = .hosts(["example.com"])
    let (sandboxed, floor) = try await bench.paired(
      61, { try await run(launcher, closed) }, { try await run(bare, closed) })
    let (reaching, _) = try await bench.paired(
      31, { try await run(launcher, named) }, { try await run(bare, closed) })
    let added = sandboxed - floor
    return RowResult(
      name: row.name, measured: "\(sandboxed.short) ms", floor: "\(floor.short) ms (bare)",
      ratio: sandboxed / floor, target: "≤ 10 ms beyond it", isMet: added <= 10,
      notes: "\(added.short) ms beyond; with hosts by name \((reaching - floor).short) ms beyond")
  }
}
