import RasaCore
import Testing

@testable import RasaMemory

@Suite("Facts of one slot")
struct FactChainTests {
  private func moment(_ number: Int) -> Timestamp { Timestamp(milliseconds: Int64(number)) }

  private func claim(
    _ text: String, at time: Int, from: Int? = nil, until: Int? = nil, run: String = "r"
  ) -> FactClaim {
    FactClaim(
      form: Array(text.utf8), run: run, time: moment(time), validFrom: from.map(moment),
      until: until.map(moment))
  }

  /// What holds at each moment up to 100.
  private func holding(_ claims: [FactClaim], limits: [FactChain.Limit] = []) -> [[String]] {
    let claims = claims.sorted { $0.comes(before: $1) }
    let facts = FactChain.facts(of: claims, limits: limits)
    return (0..<100).map { instant in
      facts.filter { fact in
        fact.begin <= moment(instant) && fact.until.map { moment(instant) < $0 } ?? true
      }.map { String(decoding: claims[$0.claims.lowerBound].form, as: UTF8.self) }
    }
  }

  private func random(_ dice: inout Dice, count: Int) -> [FactClaim] {
    (0..<count).map { number in
      let time = Int(dice.next() % 50)
      let from = dice.next() % 2 == 0 ? nil : Int(dice.next() % 70)
      let until = dice.next() % 3 == 0 ? Int(dice.next() % 80) : nil
      return claim(
        ["Rome", "Oslo", "Bern", "Bonn"][Int(dice.next() % 4)], at: time, from: from,
        until: until, run: "r\(number)")
    }
  }

  @Test func `At most one holds, whatever was said`() {
    var dice = Dice(seed: 2)
    for _ in 0..<1000 {
      let claims = random(&dice, count: 1 + Int(dice.next() % 8))
      let limits = random(&dice, count: Int(dice.next() % 3)).map { claim in
        FactChain.Limit(form: Array("Rome".utf8), claim: claim)
      }.sorted { $0.claim.comes(before: $1.claim) }
      #expect(holding(claims, limits: limits).allSatisfy { $0.count <= 1 })
    }
  }

  /// The last one of all that had begun by then, unless it is over.
  @Test func `What holds is the last word about that day`() {
    var dice = Dice(seed: 3)
    for _ in 0..<1000 {
      // Of what is dated, the day is known.
      let claims = random(&dice, count: 1 + Int(dice.next() % 8)).filter { claim in
        claim.validFrom != nil && claim.until.map { $0 > claim.begin } ?? true
      }.sorted { $0.comes(before: $1) }
      let held = holding(claims)
      for instant in 0..<100 {
        let last = claims.last { $0.begin <= moment(instant) }
        let expected = last.flatMap { claim in
          claim.until.map { $0 <= moment(instant) } ?? false
            ? nil : String(decoding: claim.form, as: UTF8.self)
        }
        #expect(held[instant] == [expected].compactMap(\.self), "\(claims) at \(instant)")
      }
    }
  }

  private static let tables: [(claims: [(String, Int, Int?, Int?)], held: [Int: String])] = [
    // Undated, and then dated back: the last word holds from the day that it names.
    (
      [("Rome", 50, nil, nil), ("Oslo", 51, 20, nil)],
      [10: "Rome", 19: "Rome", 20: "Oslo", 60: "Oslo"]
    ),
    // Dated, and then undated.
    (
      [("Oslo", 50, 20, nil), ("Rome", 51, nil, nil)], [10: "", 20: "Oslo", 50: "Oslo", 51: "Rome"]
    ),
    // What is over is history, whenever it is told.
    (
      [("Rome", 50, nil, nil), ("Oslo", 60, nil, 30)],
      [10: "Oslo", 30: "", 49: "", 50: "Rome", 70: "Rome"]
    ),
    (
      [("Rome", 10, nil, nil), ("Oslo", 60, 20, 30)], [10: "Rome", 20: "Oslo", 29: "Oslo", 30: ""]
    ),
    // Since when something that is over was true is unknown: since what came before it was last known.
    (
      [("Rome", 10, 5, nil), ("Oslo", 60, nil, 30)],
      [5: "Rome", 10: "Rome", 11: "Oslo", 29: "Oslo", 30: ""]
    ),
    (
      [("Rome", 60, nil, 20), ("Oslo", 60, nil, 30)], [19: "Rome", 20: "Oslo", 29: "Oslo", 30: ""]
    ),
    // What is planned does not end what holds before.
    ([("Oslo", 50, 80, nil), ("Rome", 51, nil, nil)], [52: "Rome", 79: "Rome", 80: "Oslo"]),
    (
      [("Rome", 50, nil, nil), ("Oslo", 51, 80, nil), ("Bern", 52, 70, nil)],
      [69: "Rome", 70: "Bern", 80: "Oslo"]
    ),
    // A later word reaches behind several earlier ones, which never held.
    (
      [("Rome", 10, nil, nil), ("Bern", 40, 30, nil), ("Oslo", 50, 20, nil)],
      [10: "Rome", 20: "Oslo", 35: "Oslo", 90: "Oslo"]
    ),
    // Back again is another fact.
    (
      [("Rome", 10, nil, nil), ("Oslo", 20, nil, nil), ("Rome", 30, nil, nil)],
      [15: "Rome", 25: "Oslo", 35: "Rome"]
    ),
    // The same with a gap is another fact, too.
    (
      [("Rome", 50, 10, 20), ("Rome", 51, 40, nil)],
      [10: "Rome", 19: "Rome", 20: "", 39: "", 40: "Rome"]
    ),
  ]

  @Test(arguments: tables.indices)
  func `Holds on these days`(row: Int) {
    let (claims, expected) = Self.tables[row]
    let held = holding(claims.map { claim($0.0, at: $0.1, from: $0.2, until: $0.3) })
    for (instant, text) in expected {
      #expect(held[instant].joined() == text, "\(claims) at \(instant)")
    }
  }

  @Test func `What is stated again is one fact, until another one comes between`() {
    let all = [
      claim("Rome", at: 1), claim("Rome", at: 3), claim("Oslo", at: 5), claim("Rome", at: 7),
    ]
    #expect(FactChain.facts(of: all).map(\.claims) == [0..<2, 2..<3, 3..<4])
    #expect(FactChain.facts(of: [all[0], all[1], all[3]]).map(\.claims) == [0..<3])
    let denial = FactChain.Limit(form: Array("Rome".utf8), claim: claim("not Rome", at: 2))
    let denied = FactChain.facts(of: [all[0], all[1]], limits: [denial])
    #expect(denied.map(\.until) == [moment(2), nil])
    #expect(denied.map(\.endedBy) == [.limit(0), nil])
  }
}
