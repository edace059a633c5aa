import Glibc
import RasaCore
import RasaDocuments
import RasaTestKit

private func milliseconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1_000_000 }

extension Row {
  static let firstToken = Row("start to first token") { bench, row in
    let (rasa, floor) = try await bench.paired(
      21,
      {
        milliseconds(try bench.program(bench.rasa, bench.ask("single", model: "t1-d0")).firstByte)
      },
      {
        milliseconds(
          try bench.program(bench.floor("floor-first-token"), [bench.completions, "t1-d0"])
            .firstByte)
      })
    return RowResult(
      name: row.name, measured: "\(rasa.short) ms", floor: "\(floor.short) ms", ratio: rasa / floor,
      target: "≤ 1.7 × bare libcurl", isMet: rasa <= 1.7 * floor, notes: "")
  }

  static let throughput = Row("100,000 tokens, no delay") { bench, row in
    var memory: [Double] = []
    var small: [Double] = []
    let model = "t100000-d0-each"
    let body =
      #"{"model":"\#(model)","stream":true,"messages":[{"role":"user","content":"hello"}]}"#
    let (rasa, floor) = try await bench.paired(
      7,
      {
        let run = try bench.program(bench.rasa, bench.ask("single", model: model))
        memory.append(Double(run.largestMemoryKilobytes) / 1024)
        return 100_000 / (Double(run.wall) / 1e9)
      },
      {
        let run = try bench.program(
          "/usr/bin/curl",
          ["-sN", "-H", "Content-Type: application/json", "-d", body, bench.completions])
        return 100_000 / (Double(run.wall) / 1e9)
      })
    for _ in 0..<3 {
      let run = try bench.program(bench.rasa, bench.ask("single", model: "t1000-d0"))
      small.append(Double(run.largestMemoryKilobytes) / 1024)
    }
    var packed: [Double] = []
    for _ in 0..<5 {
      let run = try bench.program(bench.rasa, bench.ask("single", model: "t100000-d0"))
      packed.append(100_000 / (Double(run.wall) / 1e9))
    }
    return RowResult(
      name: row.name, measured: "\(Int(rasa)) tokens/s", floor: "\(Int(floor)) (curl -N)",
      ratio: rasa / floor, target: "≥ 0.5 × curl -N", isMet: rasa >= 0.5 * floor,
      notes:
        "each token sent by itself; \(Int(packed.median)) tokens/s from a server that packs them; "
        + "memory \(small.median.short) MB for 1,000 tokens, \(memory.median.short) MB for 100,000")
  }

  static let pacedLatency = Row("10 ms a token: added latency p99") { bench, row in
    let model = "t200-d10-stamp"
    let (rasa, floor) = try await bench.paired(
      5,
      { try bench.latency(bench.rasa, bench.ask("single", model: model)) },
      { try bench.latency(bench.floor("floor-first-token"), [bench.completions, model]) })
    return RowResult(
      name: row.name, measured: "\((rasa * 1000).short) µs", floor: "\((floor * 1000).short) µs",
      ratio: rasa / floor, target: "≤ 1.7 × bare libcurl", isMet: rasa <= 1.7 * floor,
      notes: "from the provider's send to the reader of standard output")
  }

  private static let persona = "strategic_stock_analyst"

  private static func five(
    journal: String, model: String, runs: Int, _ bench: Bench
  ) async throws -> Value {
    let value = try await bench.selfMeasured([
      "run", "--persona", persona, "--input", "hello", "--model", "openai:\(model)", "--runs",
      "\(runs)", "--journal", journal,
    ])
    guard value["calls"].int == 5 else {
      throw Failure(.run, "the persona made \(value["calls"].promptText) calls, not 5")
    }
    return value
  }

  /// Five sequential calls with one connection, in milliseconds.
  private static func floorFive(_ model: String, repeats: Int, _ bench: Bench) async throws
    -> Double
  {
    let run = try await ProgramRun.run(
      bench.floor("floor-calls"), [bench.completions, model, "--repeat", "\(repeats)"])
    return run.text.split(separator: "\n").compactMap { Double($0) }.dropFirst().map { $0 / 1e6 }
      .median
  }

  /// Milliseconds of a run, on the clock and of the processor, and of the five calls of the floor.
  private static func measureFive(
    journal: String, _ bench: Bench
  ) async throws -> (wall: Double, cpu: Double, floor: Double) {
    var times: [Double] = []
    let (rasa, floor) = try await bench.paired(
      5,
      {
        let value = try await five(journal: journal, model: "t50-d0", runs: 200, bench)
        times.append((value["cpu_us_mean"].double ?? 0) / 1000)
        return (value["wall_us_median"].double ?? 0) / 1000
      },
      { try await floorFive("t50-d0", repeats: 200, bench) })
    return (rasa, Array(times.dropFirst()).median, floor)
  }

  static let fiveCalls = Row("persona, 5 calls, warm, in memory") { bench, row in
    let (wall, cpu, floor) = try await measureFive(journal: "memory", bench)
    return RowResult(
      name: row.name, measured: "\(wall.short) ms", floor: "\(floor.short) ms", ratio: wall / floor,
      target: "≤ 3 × bare libcurl", isMet: wall <= 3 * floor,
      notes: "\(cpu.short) ms of processor time")
  }

  static let fiveCallsDurable = Row("persona, 5 calls, warm, durable") { bench, row in
    let (wall, cpu, floor) = try await measureFive(journal: "full", bench)
    return RowResult(
      name: row.name, measured: "\(wall.short) ms, \(cpu.short) ms of processor time",
      floor: "\(floor.short) ms", ratio: wall / floor, target: "≤ 3 ms, ≤ 2.2 ms of processor time",
      isMet: wall <= 3 && cpu <= 2.2, notes: "what users get: every call's money on the disk")
  }

  static let fiveCallsDelayed = Row("persona, 5 calls, 50 ms delay") { bench, row in
    let (rasa, floor) = try await bench.paired(
      5,
      {
        (try await five(journal: "memory", model: "t50-d0-h50", runs: 4, bench)["wall_us_median"]
          .double ?? 0) / 1000
      },
      { try await floorFive("t50-d0-h50", repeats: 4, bench) })
    return RowResult(
      name: row.name, measured: "\(rasa.short) ms", floor: "\(floor.short) ms", ratio: rasa / floor,
      target: "< the five in sequence", isMet: rasa < floor, notes: "")
  }

  static let fiveCallsProcess = Row("persona, 5 calls, whole process") { bench, row in
    let body =
      #"{"model":"t50-d0","stream":true,"messages":[{"role":"user","content":"hello"}]}"#
    var curl: [String] = []
    for index in 0..<5 {
      if index > 0 { curl.append("--next") }
      curl += ["-sN", "-H", "Content-Type: application/json", "-d", body, bench.completions]
    }
    let (rasa, floor) = try await bench.paired(
      15, { milliseconds(try bench.program(bench.rasa, bench.ask(persona, model: "t50-d0")).wall) },
      { milliseconds(try bench.program("/usr/bin/curl", curl).wall) })
    return RowResult(
      name: row.name, measured: "\(rasa.short) ms", floor: "\(floor.short) ms (curl)",
      ratio: rasa / floor, target: "≤ 2.2 × one curl, five calls", isMet: rasa <= 2.2 * floor,
      notes: ""
    )
  }

  static let manyRuns = Row("500 runs at once, 100 × 20 ms") { bench, row in
    var pace: [Double] = []
    var memory: [Double] = []
    for _ in 0..<5 {
      let value = try await bench.selfMeasured([
        "run", "--persona", "single", "--input", "hello", "--model", "openai:t100-d20", "--runs",
        "500", "--parallel", "500", "--journal", "memory",
      ])
      pace.append((value["total_us"].double ?? 0) / 1e6)
      memory.append((value["largest_memory_kb"].double ?? 0) / 1024)
    }
    let ideal = 2.0
    return RowResult(
      name: row.name, measured: "\(pace.median.short) s, \(memory.median.short) MB",
      floor: "\(ideal) s (ideal)", ratio: ideal / pace.median, target: "≥ 0.95 of pace, ≤ 100 MB",
      isMet: ideal / pace.median >= 0.95 && memory.median <= 100, notes: "")
  }
}

extension Bench {
  /// The 99th percentile, in milliseconds, of the time between the provider's stamp in a token and
  /// the moment that the token was read from the program's output.
  fileprivate func latency(_ program: String, _ arguments: [String]) throws -> Double {
    let run = try self.program(program, arguments, keepsPieces: true)
    var delays: [Double] = []
    var digits: [UInt8] = []
    func take(_ moment: UInt64) {
      if digits.count >= 9, let stamp = UInt64(String(decoding: digits, as: UTF8.self)) {
        delays.append(Double(moment &- stamp) / 1e6)
      }
      digits.removeAll()
    }
    for piece in run.pieces {
      for byte in piece.bytes {
        if byte >= 48, byte <= 57 { digits.append(byte) } else { take(piece.moment) }
      }
      take(piece.moment)
    }
    guard delays.count > 100 else { throw Failure(.run, "too few stamps: \(delays.count)") }
    return delays.percentile(99)
  }
}
