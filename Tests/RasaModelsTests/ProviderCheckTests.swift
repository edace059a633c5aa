import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaTestKit
import Testing

@testable import RasaModels

@Suite struct ProviderCheckTests {
  private let clock = TestClock()

  private func check(_ providers: ProviderSettings...) async throws -> [ProviderReport] {
    let client = HTTPClient()
    defer { client.shutdown() }
    return try await ProviderCheck.run(providers, client: client, time: clock.source)
  }

  @Test func asksEveryProviderAndKeepsTheirOrder() async throws {
    let one = try ScriptedProvider.start(models: ["b", "a", "text-embed"])
    let two = try ScriptedProvider.start(models: ["llama3.2:latest"])
    let gone = try RefusingPort()
    defer { withExtendedLifetime(gone) {} }
    let reports = try await check(
      .openAI(baseURL: "http://127.0.0.1:\(gone.port)/v1", key: nil),
      .openAI(baseURL: one.openAIBaseURL, key: "k"),
      .ollama(host: two.baseURL))
    #expect(reports.map(\.models) == [[], ["b", "a"], ["llama3.2:latest"]])
    #expect(reports.map(\.availability) == [.unavailable, .available, .available])
    #expect(
      reports[0].problem?.kind == .provider && reports[0].problem?.suggestion.isEmpty == false)
    #expect(one.requests.map(\.path) == ["/v1/models"] && two.requests.map(\.path) == ["/api/tags"])
  }

  @Test func callsUnknownWhatHasNoList() async throws {
    let provider = try ScriptedProvider.start()
    let report = try #require(
      try await check(.openAI(baseURL: provider.baseURL + "/v9", key: nil)).first)
    #expect(report.availability == .unknown && report.problem != nil)
    #expect(report.availability(of: "anything") == .unknown)
    #expect(report.observations(asked: ["anything"], at: clock.source.now()).isEmpty)
  }

  @Test(
    arguments: [
      ("gpt-4o", Availability.available), ("gpt-4o-mini", .available), ("llama3.2", .available),
      ("GPT-4o-mini", .available), ("gpt-4o-2024-08-06", .available), ("qwen3", .unavailable),
      ("gpt-4o-2024-05-13", .unavailable), ("llama3.2:1b", .unavailable),
    ])
  func findsAModelInTheList(_ row: (model: String, state: Availability)) throws {
    var report = ProviderReport(settings: try .ollama(host: "h"))
    report.models = ["gpt-4o-2024-08-06", "gpt-4o-mini", "llama3.2:latest", "qwen3:8b"]
    #expect(report.availability(of: row.model) == row.state)
    report.models = []
    #expect(report.availability(of: row.model) == .unknown)
    report.availability = .unavailable
    #expect(report.availability(of: row.model) == .unavailable)
  }

  @Test func remembersWhatTheListShows() throws {
    let now = Timestamp(milliseconds: 1_000_000)
    var report = ProviderReport(settings: try .openAI(baseURL: nil, key: "sk-1"))
    report.models = ["a-20260101", "b"]
    let seen = report.observations(asked: ["a", "gone"], at: now)
    #expect(seen.map(\.key.model) == ["", "a-20260101", "b", "a", "gone"])
    #expect(seen.allSatisfy { $0.key.provider == "openai" && $0.key.account.isEmpty == false })
    #expect(seen.dropLast().allSatisfy { $0.outcome == .answered })
    guard case .failed(_, let until) = seen[4].outcome else { throw Failure(.run, "not failed") }
    #expect(until.milliseconds == 1_000_000 + ModelStanding.memory)
    report.availability = .unavailable
    report.problem = Failure(.authentication, "the key was refused (401)")
    report.unavailableUntil = Timestamp(milliseconds: 1_060_000)
    #expect(
      report.observations(at: now).map(\.outcome) == [
        .failed(reason: "the key was refused (401)", until: Timestamp(milliseconds: 1_060_000))
      ])
  }

  @Test func looksForAnOllamaOnlyWhereNothingIsConfigured() async throws {
    let ollama = try ScriptedProvider.start(models: ["m"])
    let client = HTTPClient()
    defer { client.shutdown() }
    func complete(_ configuration: ModelConfiguration) async throws -> ModelConfiguration {
      try await ProviderCheck.complete(
        configuration, client: client, time: clock.source, usualOllama: "127.0.0.1:\(ollama.port)",
        within: .seconds(20))
    }
    #expect(try await complete(ModelConfiguration(prefersMock: true)).providers.isEmpty)
    #expect(ollama.requests.isEmpty)
    #expect(try await complete(ModelConfiguration()).providers.map(\.name) == ["ollama"])
    ollama.stop()
    #expect(try await complete(ModelConfiguration()).prefersMock)
  }
}
