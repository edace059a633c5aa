import RasaCore
import RasaKit
import RasaTestKit
import Testing

@Suite("Vectors for a program", .timeLimit(.minutes(1))) struct EmbeddingVerbTests {
  private func request(_ texts: [String]) -> Rasa.VectorRequest {
    Rasa.VectorRequest(model: "openai:text-embedding-3-small", texts: texts)
  }

  @Test("come in the order of the texts, in as many calls as they need, paid in one run")
  func many() async throws {
    let kit = try Kit(provider: [Script().with { $0.vector = { [Double($0.utf8.count), 1] } }])
    let texts = (1...150).map { String(repeating: "x", count: $0) }
    let made = try await kit.rasa.embed(request(texts))
    #expect(made.vectors.count == 150)
    // The lengths are made 1; what is compared is the direction.
    let ratios = made.vectors.map { ($0[0] / $0[1]).rounded() }
    #expect(ratios == (1...150).map(Float.init))
    #expect(made.inputTokens == 150 && made.isCounted && made.isPriceKnown && made.cost > 0)
    let calls = try await kit.rasa.calls(ofRun: made.run)
    #expect(calls.count == 3 && calls.compactMap(\.cost).reduce(0, +) == made.cost)
    #expect(calls.allSatisfy { $0.held >= $0.cost ?? .zero })
    #expect(try await kit.rasa.run(withID: made.run).persona == "embedding")
    await kit.rasa.close()
  }

  @Test("take a page, and are not made without texts, money or a provider of them")
  func limits() async throws {
    let kit = try Kit(provider: [Script()])
    let page = String(repeating: "A line of a page. ", count: 1_500)
    #expect(try await kit.rasa.embed(request([page])).vectors.count == 1)
    var poor = request(["Hi"])
    poor.budget = Rasa.ExtraBudget(name: "token:ci")
    poor.budget?.daily = 0.000000000001
    for (wrong, code) in [
      (request([]), RasaError.Code.usage), (request([""]), .usage), (poor, .budget),
      (Rasa.VectorRequest(model: "mock", texts: ["Hi"]), .configuration),
    ] {
      let error = await #expect(throws: RasaError.self) { try await kit.rasa.embed(wrong) }
      #expect(error?.code == code)
    }
    #expect(kit.provider?.requests.count == 1)
    await kit.rasa.close()
  }

  @Test("are none where one of several calls fails, and what was made is paid")
  func failing() async throws {
    let kit = try Kit(provider: [
      Script().once(), Script.error(400, "input is too long"),
    ])
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.embed(request((1...100).map { "text \($0)" }))
    }
    #expect(error?.code == .provider && error?.message.contains("too long") == true)
    let run = try #require(error?.run)
    let calls = try await kit.rasa.calls(ofRun: run)
    #expect(calls.map(\.outcome) == ["answered", "failed"])
    #expect(try await kit.rasa.run(withID: run).status == .failed)
    await kit.rasa.close()
  }
}
