import Glibc
import RasaCore
import RasaHTTPClient
import RasaKit
import RasaSystem
import RasaTestKit

/// What a program pays that asks a provider through the gate, with limits in force, and not by itself.
extension Row {
  /// A request for so many tokens, each in an event of its own.
  private static func body(_ tokens: Int) -> [UInt8] {
    Array(
      """
      {"model":"t\(tokens)-d0-each","stream":true,"stream_options":{"include_usage":true},"max_tokens":100,\
      "messages":[{"role":"system","content":"You are brief."},{"role":"user","content":"Hello, who is there?"}]}
      """.utf8)
  }

  private static func rasa(_ bench: Bench, _ folder: ScratchDirectory, flush: String) throws -> Rasa
  {
    try folder.write(
      """
      budget: {max_daily: 100000, max_monthly: 1000000, unknown_price: {input: 1, output: 2}}
      storage: {flush: \(flush)}
      """, to: "home/config.yaml")
    var configuration = Rasa.Configuration(home: folder.file("home"))
    configuration.environment = bench.environment.filter { $0.key.hasPrefix("OPENAI") }
    return try Rasa(configuration)
  }

  private static func passOn(
    _ rasa: Rasa, tokens: Int, _ end: Locked<UInt64>
  ) async throws {
    var request = Rasa.ProviderRequest(
      model: "openai:t\(tokens)-d0-each", path: "/chat/completions", body: body(tokens))
    request.budget = Rasa.ExtraBudget(name: "token:bench")
    request.budget?.daily = 100_000
    let call = try await rasa.forward(request) { _ in
      end.withLock { $0 = TimeSource.system.monotonic() }
    }
    guard call.outputTokens == tokens else {
      throw Failure(.run, "\(call.outputTokens) tokens were counted, and not \(tokens)")
    }
  }

  private static func ask(_ client: HTTPClient, _ bench: Bench) async throws {
    let deadline = TimeSource.system.monotonic() + 10_000_000_000
    let response = try await client.send(
      HTTPRequest(
        method: "POST", url: bench.completions,
        headers: [(name: "Content-Type", value: "application/json")], body: body(50),
        allowsPlainHTTP: true,
        headerDeadline: deadline))
    while try await response.body.next(deadline: deadline) != nil {}
  }

  /// One at a time, in turn with the same request by the bare client: microseconds to the last byte.
  static let forwarding: [Row] = ["full", "relaxed"].map { flush in
    Row("50 tokens passed on, \(flush) flushes") { bench, row in
      let folder = ScratchDirectory()
      let rasa = try rasa(bench, folder, flush: flush)
      let client = HTTPClient()
      defer { client.shutdown() }
      var direct: [Double] = []
      var passed: [Double] = []
      for number in 0..<1_100 {
        let first = TimeSource.system.monotonic()
        try await ask(client, bench)
        let second = TimeSource.system.monotonic()
        let end = Locked<UInt64>(0)
        try await passOn(rasa, tokens: 50, end)
        guard number >= 100 else { continue }
        direct.append(Double(second - first) / 1000)
        passed.append(Double(end.withLock { $0 } - second) / 1000)
      }
      await rasa.close()
      let added = (
        passed.median - direct.median, passed.percentile(99) - direct.percentile(99)
      )
      return RowResult(
        name: row.name, measured: "\(added.0.short) µs, p99 \(added.1.short) µs more",
        floor: "\(direct.median.short) µs, p99 \(direct.percentile(99).short) µs", ratio: 0,
        target: "≤ 500 µs, p99 ≤ 2 ms", isMet: added.0 <= 500 && added.1 <= 2_000,
        notes: "to the last byte, one at a time, budgets of a token, a day and a month")
    }
  }

  /// Of this process so far, in microseconds.
  private static func processorTime() -> Double {
    var usage = rusage()
    _ = unsafe getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
  }

  /// As many at once as keep both cores busy.
  static let forwardingMany: [Row] = [("full", 1_000.0), ("relaxed", 2_000.0)].map {
    flush, target in
    Row("passed on a second, \(flush) flushes") { bench, row in
      let folder = ScratchDirectory()
      let rasa = try rasa(bench, folder, flush: flush)
      let end = TimeSource.system.monotonic() + 5_000_000_000
      let count = Locked(0)
      let warm = Locked<UInt64>(0)
      try await passOn(rasa, tokens: 1, warm)
      let (begun, used) = (TimeSource.system.monotonic(), processorTime())
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<64 {
          group.addTask {
            while TimeSource.system.monotonic() < end {
              try await passOn(rasa, tokens: 1, Locked<UInt64>(0))
              count.withLock { $0 += 1 }
            }
          }
        }
        try await group.waitForAll()
      }
      let seconds = Double(TimeSource.system.monotonic() - begun) / 1e9
      await rasa.close()
      let number = Double(count.withLock { $0 })
      let rate = number / seconds
      let each = (processorTime() - used) / max(1, number)
      return RowResult(
        name: row.name, measured: "\(rate.short) a second", floor: "", ratio: 0,
        target: "≥ \(target.short)", isMet: rate >= target,
        notes:
          "64 at once, one token each, the provider on the same cores; \(each.short) µs of processor time each"
      )
    }
  }
}
