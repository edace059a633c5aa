import RasaCore
import RasaKit
import RasaTestKit
import Testing

@Suite("A further budget", .timeLimit(.minutes(1))) struct ExtraBudgetTests {
  private static func token(
    daily: Rasa.Dollars? = nil, perRun: Rasa.Dollars? = nil
  ) -> Rasa.ExtraBudget {
    var budget = Rasa.ExtraBudget(name: "token:ci")
    budget.daily = daily
    budget.perRun = perRun
    return budget
  }

  private static func question(_ budget: Rasa.ExtraBudget) -> Rasa.Completion {
    var asked = Rasa.Completion(
      model: "openai:gpt-4o-mini", messages: [.init(.user, "Tell me something long.")])
    asked.maxTokens = 200
    asked.budget = budget
    return asked
  }

  private static func passedOn(_ budget: Rasa.ExtraBudget) -> Rasa.ProviderRequest {
    let body =
      #"{"model":"gpt-4o-mini","stream":true,"max_tokens":200,"messages":[{"role":"user","content":"Hi"}]}"#
    var request = Rasa.ProviderRequest(
      model: "openai:gpt-4o-mini", path: "/chat/completions", body: Array(body.utf8))
    request.budget = budget
    return request
  }

  /// What one call of 200 tokens is held at is about $0.00013: under half a thousandth of a dollar a few fit at a time.
  @Test("is never exceeded by calls at the same time, whatever they go through")
  func concurrent() async throws {
    let kit = try Kit(provider: [Script.words(150)])
    let limit: Rasa.Dollars = 0.0005
    let budget = Self.token(daily: limit)
    let outcomes = await withTaskGroup(of: Bool?.self) { group in
      for number in 0..<40 {
        group.addTask {
          do {
            if number.isMultiple(of: 2) {
              _ = try await kit.rasa.complete(Self.question(budget)) { _ in }
            } else {
              _ = try await kit.rasa.forward(Self.passedOn(budget)) { _ in }
            }
            return true
          } catch {
            return (error as? RasaError)?.code == .budget ? false : nil
          }
        }
      }
      return await group.reduce(into: [Bool?]()) { $0.append($1) }
    }
    #expect(outcomes.contains(true) && outcomes.contains(false) && !outcomes.contains(nil))
    let spent = try await kit.rasa.budget(of: budget)
    #expect(spent.day.spent > 0 && spent.day.spent <= limit && spent.day.held == 0)
    #expect(spent.day.limit == limit && spent.owner == "token:ci")
    let bill = try #require(kit.provider?.invoice.bill(["gpt-4o-mini": Self.tariff]))
    #expect(bill.total.picoDollars > 0)
    #expect(bill.total <= Money(decimal: "0.0005") ?? .zero)
    // It is listed among the others, and the books of everybody have the same.
    let listed = try await kit.rasa.budgets().first { $0.owner == "token:ci" }
    #expect(listed?.day.spent == spent.day.spent)
    #expect(try await kit.rasa.budget(of: nil).day.spent == spent.day.spent)
    await kit.rasa.close()
  }

  private static let tariff = Tariff(
    input: Money(picoDollars: 150_000_000_000), output: Money(picoDollars: 600_000_000_000))

  @Test("says whose limit it is, and is lifted by nothing")
  func named() async throws {
    let kit = try Kit(provider: [.text("Hello.")])
    var options = Rasa.RunOptions()
    options.budget = Self.token(daily: Rasa.Dollars("0.000000001"))
    options.ignoresBudget = true
    options.ignoresRunLimit = true
    try await kit.rasa.register(Kit.writer)
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.run(agent: "note-writer", input: "Hi", options: options).result()
    }
    #expect(error?.code == .budget && error?.message.contains("token:ci") == true)
    options.budget = Self.token(perRun: Rasa.Dollars("0.000000001"))
    let perRun = await #expect(throws: RasaError.self) {
      try await kit.rasa.run(agent: "note-writer", input: "Hi", options: options).result()
    }
    #expect(perRun?.code == .budget)
    #expect(kit.provider?.requests.isEmpty == true)
    await kit.rasa.close()
  }

  @Test("has a name that no persona can have")
  func checked() async throws {
    let kit = try Kit(provider: [])
    for name in ["ci", "", "token:" + String(repeating: "x", count: 300)] {
      let budget = Rasa.ExtraBudget(name: name)
      for attempt in 0..<2 {
        let error = await #expect(throws: RasaError.self) {
          if attempt == 0 {
            _ = try await kit.rasa.complete(Self.question(budget)) { _ in }
          } else {
            _ = try await kit.rasa.budget(of: budget)
          }
        }
        #expect(error?.code == .usage)
      }
    }
    await kit.rasa.close()
  }

  @Test("still pays for a run that is resumed")
  func resumed() async throws {
    let kit = try Kit(
      provider: [.text("A draft.")], files: ["home/personas/asking.yaml": Kit.asking])
    var options = Rasa.RunOptions()
    options.budget = Self.token(daily: 1)
    let parked = try await kit.rasa.run(persona: "asking", input: "Where?", options: options)
    let waiting = try await parked.result()
    let pending = try #require(waiting.pending.first)
    #expect(try await kit.rasa.budget(of: Self.token()).day.spent == 0)
    _ = try await kit.rasa.answer(approval: pending.id, .standard)
    let result = try await kit.rasa.resume(parked.id).result()
    #expect(result.text == "A draft.")
    let spent = try await kit.rasa.budget(of: Self.token())
    #expect(spent.day.spent == result.cost && result.cost > 0)
    await kit.rasa.close()
  }
}
