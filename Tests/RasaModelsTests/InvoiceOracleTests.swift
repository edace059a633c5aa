import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaStore
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaModels

/// The provider's own bill against the ledger: random chains of free, paid, unpriced and failing
/// models, many calls at once, some of them cancelled, under random limits.
@Suite(.serialized) struct InvoiceOracleTests {
  /// Dollars per million tokens, in and out; nil where nobody knows.
  private static let prices: [String: (input: Int64, output: Int64)?] = [
    "free": (0, 0), "cheap": (1, 2), "dear": (100, 200), "failing": (10, 20), "breaking": (10, 20),
    "silent": (5, 7), "liar": (3, 4), "twice": (2, 6), "nameless": nil,
  ]

  private static let catalogue: Catalogue = {
    let entries = prices.sorted { $0.key < $1.key }.compactMap { name, price in
      price.map {
        #""\#(name)": {"vendor": "openai", "prices": [{"input": "\#($0.input)", "output": "\#($0.output)"}]}"#
      }
    }
    return Catalogue(shipped: Array("{\"models\": {\(entries.joined(separator: ","))}}".utf8))
  }()

  private static let absurd: Value = .int(1_000_000_000_000_000_000)

  private static let scripts: [Script] = [
    Script.error(503).for(model: "failing"),
    Script.words(9).broken(after: 4, .close).for(model: "breaking"),
    Script.words(7).with { $0.usage = .missing }.for(model: "silent"),
    Script.words(7).with { $0.usage = .exactly(prompt: absurd, completion: absurd) }
      .for(model: "liar"),
    Script.words(5).with { $0.repeatsFinish = true }.for(model: "twice"),
    Script.words(6),
  ]

  private static let tariffs = prices.compactMapValues { price in
    price.map {
      Tariff(
        input: Money(picoDollars: $0.input * 1_000_000_000_000),
        output: Money(picoDollars: $0.output * 1_000_000_000_000))
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func theLedgerCoversTheBillAndKeepsTheLimit(_ seed: UInt64) async throws {
    var numbers = SeededNumbers(seed: seed)
    let folder = ScratchDirectory()
    var time = TimeSource.system
    time.localDay = { _ in LocalDay(year: 2026, month: 9, day: 15) }
    let store = openStore(at: folder.file("rasa.db"), time: time)
    let ledger = WatchedLedger(store)
    let provider = try ScriptedProvider.start(Self.scripts)
    let client = HTTPClient()
    var options = GateOptions()
    options.rounds = 2
    options.retryDelay = .milliseconds(1)
    options.budget.maxDaily = Money(
      picoDollars: .random(in: 1...60, using: &numbers) * 1_000_000_000)
    if seed.isMultiple(of: 2) {
      options.budget.unknownInputPrice = Money(decimal: "20")
      options.budget.unknownOutputPrice = Money(decimal: "30")
    }
    var settings = try ProviderSettings.openAI(baseURL: provider.openAIBaseURL, key: "sk-test-key")
    settings.isLocal = false
    let gate = Gate(
      configuration: ModelConfiguration(providers: [settings]), catalogue: Self.catalogue,
      ledger: ledger, history: store, client: client, time: time,
      random: { .random(in: .min ... .max) }, options: options)
    let limits = (0..<3).map { _ in
      Money(picoDollars: .random(in: 1...40, using: &numbers) * 1_000_000_000)
    }
    var calls: [(context: CallContext, request: ModelRequest, isCancelled: Bool)] = []
    for number in 0..<80 {
      let names = Self.prices.keys.sorted().shuffled(using: &numbers)
      func model(_ place: Int) -> ModelReference? {
        Bool.random(using: &numbers) || place == 0
          ? ModelReference(engine: "openai", model: names[place]) : nil
      }
      let run = Identifier("run-\(number % 7)")
      let context = CallContext(
        run: run,
        key: EffectKey(frame: "main", visit: number, operatorName: "respond", label: "call"),
        persona: "persona-\(number % 3)",
        models: RecommendedModels(primary: model(0), fallback: model(1), premium: model(2)),
        profile: PerformanceProfile.allCases.randomElement(using: &numbers),
        budget: CostBudget(
          maxDaily: limits[number % 3],
          policy: [.reject, .downgrade].randomElement(using: &numbers) ?? .reject))
      let words = Array(repeating: "word", count: .random(in: 1...60, using: &numbers))
      calls.append(
        (
          context,
          ModelRequest(
            messages: [ChatMessage(.user, words.joined(separator: " "))], name: "respond",
            maxTokens: .random(in: 10...200, using: &numbers)),
          Int.random(in: 0..<8, using: &numbers) == 0
        ))
    }
    for run in 0..<7 {
      store.open(
        RunRecord(
          id: Identifier("run-\(run)"), session: nil, persona: "p", personaDigest: "", user: "u",
          input: "x", startedAt: TimeSource.system.now()), [])
    }
    let asked = calls
    let served = await withTaskGroup(of: Bool.self) { group in
      for call in asked {
        group.addTask {
          let task = Task {
            try await gate.answer(call.request, for: call.context) { event in
              if call.isCancelled, case .text = event { throw CancellationError() }
            }
          }
          return (try? await task.value) != nil
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    client.shutdown()
    #expect(served > 0)

    // Nothing stays held, every hold was settled once, and no limit was passed by more than those
    // settlements that were higher than their holds.
    #expect(ledger.problems.isEmpty)
    let history = ledger.history
    #expect(Set(history.reserved.keys) == Set(history.settled.keys))
    let day = gate.day(at: TimeSource.system.now())
    let balance = try await store.balance(of: .day(owner: BudgetLeg.everyone, day))
    #expect(balance.held == .zero)
    #expect(balance.settled == history.settled.values.reduce(.zero) { $0 + $1.actual })
    let overshoot = history.settled.reduce(Money.zero) { sum, entry in
      sum + max(.zero, entry.value.actual - (history.reserved[entry.key]?.amount ?? .zero))
    }
    #expect(balance.settled <= (options.budget.maxDaily ?? .max) + overshoot)

    // Each request carries its reservation, so the bill can be compared line by line.
    let requests = provider.requests
    for line in provider.invoice.bill(Self.tariffs).lines {
      guard let cost = line.cost else { continue }
      let id = Identifier(requests[line.request].idempotencyKey ?? "")
      let settlement = try #require(history.settled[id])
      let hold = try #require(history.reserved[id])
      #expect(cost <= hold.amount, "\(line.model)")
      let isHonest = ["free", "cheap", "dear", "twice"].contains(line.model)
      if isHonest, settlement.outcome == .answered, settlement.usage.isReported {
        #expect(settlement.actual == cost, "\(line.model)")
      } else {
        #expect(settlement.actual >= cost, "\(line.model)")
      }
    }
    await store.close()
  }
}

/// Looks at the accounts after everything that happens to them.
private final class WatchedLedger: Ledger {
  struct History {
    var reserved: [Identifier: ReservationRequest] = [:]
    var settled: [Identifier: Settlement] = [:]
    var problems: [String] = []
  }

  private let store: any RunStore
  private let locked = Locked(History())

  init(_ store: any RunStore) { self.store = store }

  var history: History { locked.withLock { $0 } }
  var problems: [String] { history.problems }

  func reserve(
    _ request: ReservationRequest, recording entries: [JournalEntry]
  ) async throws -> ReservationOutcome {
    let outcome = try await store.reserve(request, recording: entries)
    guard outcome == .held else { return outcome }
    locked.withLock { $0.reserved[request.id] = request }
    for leg in request.legs {
      guard let limit = leg.limit else { continue }
      let balance = try await store.balance(of: leg.scope)
      let over = balance.settled + balance.held - limit
      // Settlements above their holds, of whoever has settled until now.
      let allowed = locked.withLock { history in
        history.settled.reduce(Money.zero) { sum, entry in
          sum + max(.zero, entry.value.actual - (history.reserved[entry.key]?.amount ?? .zero))
        }
      }
      if over > allowed {
        locked.withLock { $0.problems.append("\(leg.scope) is \(over) over its limit") }
      }
    }
    return outcome
  }

  func settle(_ settlement: Settlement, recording entries: [JournalEntry]) async throws {
    locked.withLock { history in
      if history.settled[settlement.reservation] != nil {
        history.problems.append("\(settlement.reservation) was settled twice")
      }
      history.settled[settlement.reservation] = settlement
    }
    try await store.settle(settlement, recording: entries)
  }

  func headroom(_ legs: [BudgetLeg]) async throws -> Money? { try await store.headroom(legs) }

  func confirm(_ run: Identifier) async throws { try await store.confirm(run) }
}
