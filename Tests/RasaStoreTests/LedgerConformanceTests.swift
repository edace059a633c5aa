import RasaCore
import RasaEngine
import Testing

@testable import RasaStore

@Suite struct `Every ledger` {
  @Test(arguments: StoreKind.allCases)
  func `holds what fits and settles what was used`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let legs = [leg("r1", 100), dayLeg("ann", 14, 1000), monthLeg("ann", nil)]
    #expect(try await store.reserve(request("a", 60, legs), recording: []) == .held)
    #expect(try await store.headroom(legs) == Money(picoDollars: 40))
    try await store.settle(settlement("a", 25), recording: [])
    for leg in legs {
      #expect(try await store.balance(of: leg.scope) == Balance(25, held: 0))
    }
    #expect(try await store.headroom(legs) == Money(picoDollars: 75))
    #expect(try await store.headroom([legs[2]]) == nil)
    #expect(try await store.headroom([]) == nil)
  }

  @Test(arguments: StoreKind.allCases)
  func `takes all legs or none, and says which has no room`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let day = dayLeg("ann", 14, 90)
    #expect(
      try await store.reserve(request("a", 60, [leg("r1", 100), day]), recording: []) == .held)
    let refused = try await store.reserve(
      request("b", 40, [leg("r2", 100), day, monthLeg("ann", 1)], run: "r2"), recording: [])
    // A limit that is too small for it whatever others do comes before one that they hold.
    #expect(refused == .refused(monthLeg("ann", 1), Balance()))
    #expect(
      try await store.reserve(request("b", 40, [leg("r2", 100), day]), recording: [])
        == .refused(day, Balance(0, held: 60)))
    #expect(try await store.balance(of: leg("r2", nil).scope) == Balance())
    #expect(try await store.balance(of: monthLeg("ann", nil).scope) == Balance())
    // What was refused is free again for another try.
    #expect(
      try await store.reserve(request("b", 30, [leg("r2", 100), day]), recording: []) == .held)
  }

  /// Whoever waits for what others hold must not wait for what will never be there.
  @Test(arguments: StoreKind.allCases)
  func `names a limit that is used up before one that others hold`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let (run, day) = (leg("r1", 100), dayLeg("ann", 14, 90))
    _ = try await store.reserve(request("a", 80, [run]), recording: [])
    _ = try await store.reserve(request("b", 70, [day]), recording: [])
    try await store.settle(settlement("b", 70), recording: [])
    #expect(
      try await store.reserve(request("c", 20, [run, day]), recording: []) == .held)
    try await store.settle(settlement("c", 1), recording: [])
    #expect(
      try await store.reserve(request("d", 20, [run, day]), recording: [])
        == .refused(day, Balance(71, held: 0)))
    #expect(
      try await store.reserve(request("e", 19, [run, day], run: "r1"), recording: []) == .held)
    #expect(
      try await store.reserve(request("f", 10, [run, dayLeg("ann", 14, 200)]), recording: [])
        == .refused(run, Balance(1, held: 99)))
  }

  @Test(arguments: StoreKind.allCases)
  func `fills a limit exactly`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    #expect(try await store.reserve(request("a", 100, [leg("r1", 100)]), recording: []) == .held)
    #expect(
      try await store.reserve(request("b", 1, [leg("r1", 100)]), recording: [])
        == .refused(leg("r1", 100), Balance(0, held: 100)))
    #expect(try await store.reserve(request("c", 0, [leg("r1", 100)]), recording: []) == .held)
  }

  @Test(arguments: StoreKind.allCases)
  func `settles once`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    _ = try await store.reserve(request("a", 60, [leg("r1", 100)]), recording: [])
    try await store.settle(settlement("a", 25), recording: [entry("r1", "settled")])
    try await store.settle(settlement("a", 50), recording: [entry("r1", "settled again")])
    #expect(try await store.balance(of: leg("r1", nil).scope) == Balance(25, held: 0))
    #expect(try await store.entries(of: "r1").map(\.kind) == ["settled"])
  }

  @Test(arguments: StoreKind.allCases)
  func `records with the money or not at all`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    let legs = [leg("r1", 100)]
    _ = try await store.reserve(request("a", 60, legs), recording: [entry("r1", "intent")])
    _ = try await store.reserve(request("b", 60, legs), recording: [entry("r1", "refused")])
    await #expect(throws: Failure.self) {
      try await store.reserve(request("c", 10, legs), recording: [entry("none", "lost")])
    }
    await #expect(throws: Failure.self) {
      try await store.settle(settlement("a", 60), recording: [entry("none", "lost")])
    }
    #expect(try await store.balance(of: legs[0].scope) == Balance(0, held: 60))
    #expect(try await store.entries(of: "r1").map(\.kind) == ["intent"])
    // The lost ones left nothing behind: their names are free.
    #expect(try await store.reserve(request("c", 10, legs), recording: []) == .held)
  }

  @Test(arguments: StoreKind.allCases)
  func `leaves a trace of a call that costs nothing`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    #expect(try await store.reserve(request("a", 0, [leg("r1", 0)]), recording: []) == .held)
    try await store.settle(settlement("a", 0), recording: [])
    #expect(try await store.spending(SpendingFilter(), by: []).map(\.calls) == [1])
  }

  /// Whoever has lost the answer asks again.
  @Test(arguments: StoreKind.allCases)
  func `holds once what is asked for twice`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    let asked = request("a", 60, [leg("r1", 100)])
    for _ in 0..<2 {
      #expect(try await store.reserve(asked, recording: [entry("r1", "intent")]) == .held)
    }
    #expect(try await store.balance(of: leg("r1", nil).scope) == Balance(0, held: 60))
    #expect(try await store.entries(of: "r1").map(\.kind) == ["intent"])
    // The same name for something else is a mistake.
    for other in [
      request("a", 10, [leg("r1", 100)]), request("a", 60, [leg("r1", nil)], model: "another"),
      request("a", 500, [leg("r1", 100)]), request("a", 60, [leg("r1", 100)], provider: "other"),
    ] {
      await #expect(throws: Failure.self) { try await store.reserve(other, recording: []) }
    }
    try await store.settle(settlement("a", 25), recording: [])
    #expect(try await store.reserve(asked, recording: [entry("r1", "intent")]) == .held)
    #expect(try await store.balance(of: leg("r1", nil).scope) == Balance(25, held: 0))
    #expect(try await store.entries(of: "r1").map(\.kind) == ["intent"])
  }

  /// A settlement that may wait for the next commit is seen by everything that is asked after it.
  @Test(arguments: StoreKind.allCases)
  func `counts a settlement that may wait before it is durable`(kind: StoreKind) async throws {
    let fixture = Fixture(kind, owner: "me")
    let store = fixture.store
    let legs = [leg("r1", 100), monthLeg("ann", nil)]
    store.open(record("r1"), [entry("r1", "started")])
    for number in 1...3 {
      let id = "h\(number)"
      #expect(
        try await store.reserve(request(id, 60, legs), recording: [entry("r1", "intent")])
          == .held)
      var settlement = settlement(id, 15)
      settlement.mayWait = true
      try await store.settle(settlement, recording: [entry("r1", "result")])
      if number == 2 { #expect(try await store.headroom(legs) == Money(picoDollars: 70)) }
    }
    let kinds = try await store.entries(of: "r1").map(\.kind)
    #expect(kinds == ["started"] + ["intent", "result", "intent", "result", "intent", "result"])
    for leg in legs { #expect(try await store.balance(of: leg.scope) == Balance(45, held: 0)) }
    try await store.close("r1", RunEnding(.done), [])
    #expect(
      try await fixture.another("other").calls(of: "r1").map(\.state)
        == Array(repeating: .settled, count: 3))
  }

  @Test(arguments: StoreKind.allCases)
  func `shows a settlement that may wait at once to those who settled it`(
    kind: StoreKind
  ) async throws {
    let store = Fixture(kind, owner: "me").store
    store.open(record("r1"), [entry("r1", "started")])
    let legs = [leg("r1", 100), dayLeg("ann", 14, nil)]
    for number in 1...20 {
      let id = "h\(number)"
      _ = try await store.reserve(request(id, 5, legs), recording: [entry("r1", "intent")])
      var settlement = settlement(id, 1)
      settlement.mayWait = true
      try await store.settle(settlement, recording: [entry("r1", "result")])
      let spent = Balance(Int64(number), held: 0)
      for leg in legs { #expect(try await store.balance(of: leg.scope) == spent) }
      #expect(try await store.calls(of: "r1").last?.state == .settled)
    }
  }

  /// What cannot be written is not lost: the run's next step meets the failure.
  @Test(arguments: StoreKind.allCases)
  func `refuses the next step of a run whose waiting settlement was too late`(
    kind: StoreKind
  ) async throws {
    let fixture = Fixture(kind, owner: "me")
    let legs = [leg("r1", 100)]
    let stalled = try await fixture.gone(with: "r1")
    _ = try await stalled.reserve(request("a", 60, legs), recording: [entry("r1", "intent")])
    fixture.lapse()
    _ = try await fixture.store.claim("r1")
    var settlement = settlement("a", 15)
    settlement.mayWait = true
    await #expect(throws: Failure.self) {
      try await stalled.settle(settlement, recording: [entry("r1", "result")])
      _ = try await stalled.reserve(request("b", 1, legs), recording: [entry("r1", "intent")])
    }
    #expect(try await fixture.store.balance(of: legs[0].scope) == Balance(0, held: 60))
  }

  /// One row without room or not there yet: the others are as they were.
  @Test(arguments: StoreKind.allCases)
  func `leaves every balance as it was when one has no room`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let legs = [leg("r1", 100), dayLeg("ann", 14, 50), monthLeg("ann", nil), monthLeg("*", .max)]
    #expect(try await store.reserve(request("a", 40, legs), recording: []) == .held)
    for (number, more) in [legs, [leg("r2", 5)] + legs, legs + [dayLeg("new", 14, 90)]].enumerated()
    {
      #expect(
        try await store.reserve(request("b\(number)", 11, more), recording: []) != .held)
    }
    for leg in legs { #expect(try await store.balance(of: leg.scope) == Balance(0, held: 40)) }
    #expect(try await store.balance(of: leg("r2", nil).scope) == Balance())
    // The same once more holds nothing, with room or without.
    #expect(try await store.reserve(request("a", 40, legs), recording: []) == .held)
    let wide = [leg("r1", 500), dayLeg("ann", 14, 500)]
    #expect(try await store.reserve(request("c", 10, wide), recording: []) == .held)
    #expect(try await store.reserve(request("c", 10, wide), recording: []) == .held)
    #expect(try await store.balance(of: leg("r1", nil).scope) == Balance(0, held: 50))
  }

  @Test(arguments: StoreKind.allCases)
  func `refuses what cannot be`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    await #expect(throws: Failure.self) {
      try await store.reserve(request("a", -1, [leg("r1", 5)]), recording: [])
    }
    await #expect(throws: Failure.self) {
      try await store.settle(settlement("never", 1), recording: [])
    }
    try await store.confirm("never")
  }

  @Test(arguments: StoreKind.allCases)
  func `does not overflow`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let legs = [leg("r1", nil)]
    #expect(try await store.reserve(request("a", .max, legs), recording: []) == .held)
    #expect(try await store.reserve(request("b", .max, legs), recording: []) == .held)
    let refused = try await store.reserve(request("c", 1, [leg("r1", .max)]), recording: [])
    #expect(refused == .refused(leg("r1", .max), Balance(0, held: .max)))
    try await store.settle(settlement("a", .max), recording: [])
    try await store.settle(settlement("b", .max), recording: [])
    #expect(try await store.balance(of: legs[0].scope) == Balance(.max, held: 0))
    // A report below zero gives no money back.
    _ = try await store.reserve(request("d", 5, [leg("r9", 5)]), recording: [])
    try await store.settle(settlement("d", .min), recording: [])
    #expect(try await store.balance(of: leg("r9", nil).scope) == Balance())
  }

  @Test(arguments: StoreKind.allCases)
  func `counts a limit named twice once`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let legs = [leg("r1", 100), leg("r1", 50)]
    #expect(
      try await store.reserve(request("a", 60, legs), recording: [])
        == .refused(legs[1], Balance()))
    #expect(try await store.reserve(request("b", 40, legs), recording: []) == .held)
    #expect(try await store.balance(of: legs[0].scope) == Balance(0, held: 40))
  }

  @Test(arguments: StoreKind.allCases)
  func `settles into the period of the reservation`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    _ = try await store.reserve(request("a", 60, [dayLeg("ann", 14, 100)]), recording: [])
    fixture.time.pass(seconds: 86_400)
    _ = try await store.reserve(request("b", 100, [dayLeg("ann", 15, 100)]), recording: [])
    try await store.settle(settlement("a", 50), recording: [])
    #expect(try await store.balance(of: dayLeg("ann", 14, nil).scope) == Balance(50, held: 0))
    #expect(try await store.balance(of: dayLeg("ann", 15, nil).scope) == Balance(0, held: 100))
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps owners apart`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    for owner in ["ann", "bob", "ann:2023-11-14", "", "o'neil\"; --"] {
      #expect(
        try await store.reserve(request("x\(owner)", 100, [dayLeg(owner, 14, 100)]), recording: [])
          == .held)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `counts as spent what nobody will settle, and corrects it when the truth comes`(
    kind: StoreKind
  ) async throws {
    let fixture = Fixture(kind, owner: "me")
    let store = fixture.store
    let legs = [leg("r1", 100), monthLeg("ann", 100)]
    let gone = try await fixture.gone(with: "r1")
    _ = try await gone.reserve(request("a", 60, legs), recording: [])
    fixture.lapse()
    // The estimate still counts: there is no room for more than before.
    #expect(
      try await store.reserve(request("b", 50, legs, run: "r2"), recording: [])
        == .refused(legs[0], Balance(60, held: 0)))
    #expect(try await store.balance(of: legs[0].scope) == Balance(60, held: 0))
    #expect(try await store.calls(of: "r1").map(\.state) == [.expired])

    try await store.settle(settlement("a", 20), recording: [])
    try await store.settle(settlement("a", 30), recording: [])
    for leg in legs {
      #expect(try await store.balance(of: leg.scope) == Balance(20, held: 0))
    }
    let audits = try await store.audits(limit: 5)
    #expect(audits.map(\.amount) == [Money(picoDollars: -40)])
    #expect(audits.map(\.subject) == ["a"])
  }

  @Test(arguments: StoreKind.allCases)
  func `counts as spent what runs left behind that are let go of or deleted`(
    kind: StoreKind
  ) async throws {
    let fixture = Fixture(kind, owner: "me")
    let (store, other) = (fixture.store, fixture.another("other"))
    let month = monthLeg("ann", 100)
    for run in ["parked", "deleted"] {
      other.open(record(run), [entry(run, "started")])
      _ = try await other.reserve(
        request(run, 30, [month], run: run), recording: [entry(run, "intent")])
      try await other.close(Identifier(run), RunEnding(.parked), [])
    }
    #expect(try await store.deleteRun("deleted"))
    #expect(try await store.balance(of: month.scope) == Balance(0, held: 60))
    #expect(
      try await store.reserve(request("b", 50, [month]), recording: [])
        == .refused(month, Balance(60, held: 0)))
    _ = try await store.claim("parked")
    try await store.settle(settlement("parked", 5), recording: [entry("parked", "settled")])
    #expect(try await store.balance(of: month.scope) == Balance(35, held: 0))
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps what a living worker holds, however long it takes`(kind: StoreKind) async throws {
    let fixture = Fixture(kind, owner: "me")
    let store = fixture.store
    let legs = [leg("r1", 100)]
    let busy = try await fixture.gone(with: "r1")
    _ = try await busy.reserve(request("a", 60, legs), recording: [])
    fixture.time.pass(seconds: Fixture.lease - 10)
    // What it begins renews its one lease.
    busy.open(record("r5"), [entry("r5", "a")])
    try await busy.append([entry("r5", "b")])
    fixture.time.pass(seconds: Fixture.lease - 10)
    let refused = ReservationOutcome.refused(legs[0], Balance(0, held: 60))
    #expect(try await store.reserve(request("b", 50, legs, run: "r2"), recording: []) == refused)
    try await busy.confirm("r1")
    // Its own it knows to be going on, whatever the clock says.
    fixture.lapse()
    #expect(try await busy.reserve(request("b", 50, legs, run: "r5"), recording: []) == refused)
  }

  @Test(arguments: StoreKind.allCases)
  func `tells who confirms a run that somebody else has it`(kind: StoreKind) async throws {
    let fixture = Fixture(kind, owner: "me")
    let stalled = try await fixture.gone(with: "r1")
    try await stalled.confirm("r1")
    fixture.lapse()
    _ = try await fixture.store.claim("r1")
    try await fixture.store.confirm("r1")
    if kind == .memory {
      // On a disk the lease counts by a clock that no test moves: until it has ended, nobody is asked.
      await #expect(throws: Failure.self) { try await stalled.confirm("r1") }
    }
    await #expect(throws: Failure.self) { try await fixture.another("new").confirm("r1") }
  }

  @Test(arguments: StoreKind.allCases)
  func `never lets a crowd pass a limit`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let month = monthLeg("ann", 1000)
    let held = try await withThrowingTaskGroup(of: Int.self) { group in
      for caller in 0..<10 {
        group.addTask {
          var held = 0
          for number in 0..<20 {
            let id = "\(caller).\(number)"
            let outcome = try await store.reserve(request(id, 30, [month]), recording: [])
            if outcome == .held { held += 1 }
          }
          return held
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(held == 33)
    #expect(try await store.balance(of: month.scope) == Balance(0, held: 990))
  }
}
