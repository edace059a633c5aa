import RasaCore
import RasaEngine
import RasaStore
import RasaSystem
import RasaTestKit

/// Reservations by several processes at once, all of them under one limit, against two bare updates
/// of one file by as many processes.
///
/// Each process has so many calls that it wants to hold money for at the same time, and each of them
/// makes one reservation after the other. A process says how long each took.
enum Reserving {
  /// What the bench calls itself with to be one of the processes.
  static let command = "reserve"

  struct Measured {
    var perSecond: Double
    /// Nanoseconds of all reservations of all processes.
    var times: [Double]
    /// How many each process made.
    var counts: [Int]
  }

  static func measure(
    _ program: String, processes: Int, calls: Int, seconds: Int
  ) async throws -> Measured {
    let folder = ScratchDirectory()
    let store = openStore(at: folder.file("rasa.db"), time: .system)
    try await store.append([])
    await store.close()
    // All of them have started by then.
    let start = TimeSource.system.monotonic() + 500_000_000
    let outputs = try await withThrowingTaskGroup(of: [Double].self) { group in
      for number in 0..<processes {
        group.addTask {
          let run = try await ProgramRun.run(
            program, [command, folder.path, "\(number)", "\(start)", "\(seconds)", "\(calls)"],
            limit: .seconds(120))
          let times = run.text.split(separator: "\n").compactMap { Double($0) }
          guard run.exitCode == 0, !times.isEmpty else {
            throw Failure(.run, "a process made no reservation: \(run.errorText)")
          }
          return times
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let times = outputs.flatMap { $0 }
    return Measured(
      perSecond: Double(times.count) / Double(seconds), times: times, counts: outputs.map(\.count))
  }

  /// One of the processes: FOLDER NUMBER START SECONDS CALLS. Prints the nanoseconds of each
  /// reservation.
  static func work(_ arguments: [String]) async throws {
    guard arguments.count == 5, let start = UInt64(arguments[2]),
      let seconds = UInt64(arguments[3]),
      let calls = Int(arguments[4])
    else { throw Failure(.usage, "usage: \(command) FOLDER NUMBER START SECONDS CALLS") }
    let store = openStore(at: "\(arguments[0])/rasa.db", time: .system)
    let end = start + seconds * 1_000_000_000
    let times = try await withThrowingTaskGroup(of: [UInt64].self) { group in
      for call in 0..<max(1, calls) {
        let run = Identifier("r\(arguments[1])-\(call)")
        group.addTask { try await reserve(in: store, run: run, from: start, to: end) }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    await store.close()
    print(times.map { "\($0)" }.joined(separator: "\n"))
  }

  private static func reserve(
    in store: any RunStore, run: Identifier, from start: UInt64, to end: UInt64
  ) async throws -> [UInt64] {
    func clock() -> UInt64 { TimeSource.system.monotonic() }
    let now = TimeSource.system.now()
    store.open(
      RunRecord(
        id: run, session: nil, persona: "bench", personaDigest: "", user: "bench", input: "x",
        startedAt: now), [])
    try await store.append([])
    let day = TimeSource.system.localDay(now)
    let legs = [
      BudgetLeg(scope: .execution(run), limit: nil),
      BudgetLeg(scope: .day(owner: "bench", day), limit: .max),
      BudgetLeg(scope: .month(owner: "bench", day.monthText), limit: .max),
    ]
    let key = EffectKey(frame: "session_frame", visit: 1, operatorName: "respond", label: "call")
    while clock() < start { try await Task.sleep(for: .microseconds(500)) }
    var times: [UInt64] = []
    var begun = clock()
    while begun < end {
      let time = TimeSource.system.now()
      let outcome = try await store.reserve(
        ReservationRequest(
          id: .make(prefix: "h", at: time, random: systemRandom()), run: run, key: key,
          persona: "bench", operatorName: "respond", provider: "openai", model: "gpt-4o-mini",
          price: "2026-01", day: day, amount: Money(picoDollars: 1_000_000), legs: legs),
        recording: [])
      guard outcome == .held else { throw Failure(.run, "the limit of all was reached") }
      let done = clock()
      times.append(done - begun)
      begun = done
    }
    return times
  }
}

extension Reserving.Measured {
  var longest: Double { times.max() ?? 0 }
  /// The longest reservation of any process against the median one of all.
  var wait: Double { longest / times.median }

  var text: String {
    "\(Int(perSecond)) /s, longest \((longest / 1e6).short) ms = \(wait.short) × the median, "
      + "\(counts.min() ?? 0) to \(counts.max() ?? 0) a process"
  }
}

extension Row {
  static let reservations = Row("reservations by 8 processes") { bench, row in
    try await reservations(row, callsAtOnce: 4, bench)
  }

  static let singleReservations = Row("reservations by 8 processes, singly") { bench, row in
    try await reservations(row, callsAtOnce: 1, bench)
  }

  private static func reservations(
    _ row: Row, callsAtOnce: Int, _ bench: Bench
  ) async throws -> RowResult {
    let (processes, seconds) = (8, 3)
    func floor() async throws -> Double {
      let folder = ScratchDirectory()
      let run = try await ProgramRun.run(
        bench.floor("floor-reserve"), [folder.path, "\(processes)", "\(seconds)"],
        limit: .seconds(120))
      let counts = run.text.split(separator: "\n").compactMap { Double($0.prefix { $0 != " " }) }
      guard counts.count == processes else { throw Failure(.run, "no floor: \(run.errorText)") }
      return counts.reduce(0, +) / Double(seconds)
    }
    var floors: [Double] = []
    var measured: [Reserving.Measured] = []
    for _ in 0..<5 {
      measured.append(
        try await Reserving.measure(
          bench.itself, processes: processes, calls: callsAtOnce, seconds: seconds))
      floors.append(try await floor())
    }
    let (rate, floorRate) = (measured.map(\.perSecond).median, floors.median)
    let wait = measured.map(\.wait).median
    return RowResult(
      name: row.name, measured: "\(Int(rate)) /s", floor: "\(Int(floorRate)) /s (two updates)",
      ratio: rate / floorRate, target: "≥ 0.8 ×, longest ≤ 10 × median",
      isMet: rate >= 0.8 * floorRate && wait <= 10,
      notes: "calls at once in each process: \(callsAtOnce); " + (measured.last?.text ?? ""))
  }
}
