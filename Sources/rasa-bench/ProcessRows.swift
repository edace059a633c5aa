import Glibc
import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit

/// What the program costs as a whole: many streams at once, each server's packed stream, memory, size, and a build.
extension Row {
  static let manyDurableRuns = Row("1,000 streams at once, durable") { bench, row in
    var seconds: [Double] = []
    var memory: [Double] = []
    for _ in 0..<3 {
      let value = try await bench.selfMeasured([
        "run", "--persona", "single", "--input", "hello", "--model", "openai:t100-d20", "--runs",
        "1000", "--parallel", "1000", "--journal", "full",
      ])
      seconds.append((value["total_us"].double ?? 0) / 1e6)
      memory.append((value["largest_memory_kb"].double ?? 0) / 1024)
    }
    return RowResult(
      name: row.name, measured: "\(seconds.median.short) s, \(memory.median.short) MB",
      floor: "2.0 s (ideal)", ratio: seconds.median / 2, target: "≤ 2.15 s, ≤ 90 MB",
      isMet: seconds.median <= 2.15 && memory.median <= 90, notes: "100 tokens each, 20 ms apart")
  }

  static let packedStreams = Row("100,000 tokens packed, each kind of server") { bench, row in
    var lines: [String] = []
    var worst = (ratio: Double.infinity, rasa: 0.0, floor: 0.0)
    for kind in ServerKind.allCases {
      let model = "t100000-d0"
      let curl =
        ["-sN", "-H", "Content-Type: application/json", "-H", "anthropic-version: 2023-06-01"]
        + ["-d", kind.body(model), bench.baseURL + kind.path(model)]
      let (rasa, floor) = try await bench.paired(
        5,
        {
          let run = try bench.program(
            bench.rasa, bench.ask("single", model: model, of: kind.rawValue),
            adding: kind.environment(bench.baseURL))
          return 100_000 / (Double(run.wall) / 1e9)
        },
        { 100_000 / (Double(try bench.program("/usr/bin/curl", curl).wall) / 1e9) })
      lines.append("\(kind.rawValue) \((rasa / floor).short) ×")
      if rasa / floor < worst.ratio { worst = (rasa / floor, rasa, floor) }
    }
    return RowResult(
      name: row.name, measured: "\(Int(worst.rasa)) tokens/s",
      floor: "\(Int(worst.floor)) (curl -N)", ratio: worst.ratio, target: "≥ 1 × curl -N",
      isMet: worst.ratio >= 1,
      notes: "whole processes; the slowest kind is shown of " + lines.joined(separator: ", "))
  }

  static let residentMemory = Row("resident memory of a run") { bench, row in
    func peak(_ program: [String]) async throws -> Double {
      let run = try await ProgramRun.run(
        bench.floor("peak-memory"), program, environment: bench.environment, folder: bench.folder)
      guard run.exitCode == 0,
        let kilobytes = Double(run.text.split(separator: "\n").last.map(String.init) ?? "")
      else { throw Failure(.run, "peak-memory ended with \(run.exitCode): \(run.errorText)") }
      return kilobytes / 1024
    }
    let (rasa, floor) = try await bench.paired(
      7, { try await peak([bench.rasa] + bench.ask("single", model: "t100-d0")) },
      { try await peak([bench.floor("floor-first-token"), bench.completions, "t100-d0"]) })
    return RowResult(
      name: row.name, measured: "\(rasa.short) MB", floor: "\(floor.short) MB (libcurl)",
      ratio: rasa / floor, target: "≤ 18 MB", isMet: rasa <= 18,
      notes: "the most that the process had, its own code and shared libraries included")
  }

  static let programSize = Row("size of the program") { bench, row in
    let folder = ScratchDirectory()
    let stripped = folder.file("rasa")
    let run = try await ProgramRun.run(
      "/usr/bin/strip", ["--strip-all", "-o", stripped, bench.rasa])
    guard run.exitCode == 0, let status = FileSystem.status(of: stripped) else {
      throw Failure(.run, "strip ended with \(run.exitCode): \(run.errorText)")
    }
    let size = Double(status.stamp.size) / 1e6
    return RowResult(
      name: row.name, measured: "\(size.short) MB", floor: "–", ratio: 0, target: "≤ 30 MB",
      isMet: size <= 30, notes: "without symbols")
  }

  /// Builds in the sources that this program was built from, so it runs only where it is named.
  static let incrementalBuild = Row("incremental build") { bench, row in
    guard let sources = FileSystem.realPath(bench.rasa).flatMap(sources(above:)) else {
      throw Failure(.run, "\(bench.rasa) is not below the sources that it was built from")
    }
    let file = sources + "/Sources/RasaEngine/Machine/RunMachine.swift"
    let original = try FileSystem.read(file, limit: 1 << 20)
    defer { try? FileSystem.write(original, to: file, mode: 0o644) }
    func build() async throws -> Double {
      let begin = ContinuousClock.now
      let run = try await ProgramRun.run(
        "/usr/bin/env", ["swift", "build", "--package-path", sources],
        environment: Environment.ofProcess().variables, limit: .seconds(900))
      guard run.exitCode == 0 else {
        throw Failure(.run, "swift build ended with \(run.exitCode)")
      }
      return (ContinuousClock.now - begin) / .seconds(1)
    }
    // Whatever was not built before is no part of the figure.
    _ = try await build()
    var seconds: [Double] = []
    for round in 0..<3 {
      try FileSystem.write(
        original + Array("private let bench\(round) = \(round)\n".utf8), to: file,
        mode: 0o644)
      seconds.append(try await build())
    }
    return RowResult(
      name: row.name, measured: "\(seconds.median.short) s", floor: "–", ratio: 0,
      target: "≤ 60 s", isMet: seconds.median <= 60, notes: "debug, after one file of the engine")
  }

  private static func sources(above path: String) -> String? {
    var folder = FileSystem.parent(of: path)
    while folder.count > 1 {
      if FileSystem.status(of: folder + "/Package.swift") != nil { return folder }
      folder = FileSystem.parent(of: folder)
    }
    return nil
  }
}

/// The wire formats that the provider speaks.
private enum ServerKind: String, CaseIterable {
  case openai, anthropic, gemini, ollama

  func path(_ model: String) -> String {
    switch self {
    case .openai: "/v1/chat/completions"
    case .anthropic: "/v1/messages"
    case .gemini: "/v1beta/models/\(model):streamGenerateContent?alt=sse"
    case .ollama: "/api/chat"
    }
  }

  func body(_ model: String) -> String {
    switch self {
    case .gemini: #"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#
    case .openai, .anthropic, .ollama:
      #"{"model":"\#(model)","stream":true,"max_tokens":200000,"#
        + #""messages":[{"role":"user","content":"hello"}]}"#
    }
  }

  func environment(_ baseURL: String) -> [String: String] {
    switch self {
    case .openai: [:]
    case .anthropic: ["ANTHROPIC_BASE_URL": baseURL, "ANTHROPIC_API_KEY": "sk-none"]
    case .gemini: ["GEMINI_BASE_URL": baseURL, "GEMINI_API_KEY": "none"]
    case .ollama: ["OLLAMA_HOST": baseURL]
    }
  }
}
