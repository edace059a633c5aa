import RasaCore
import RasaEngine
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

/// What two or three processes do to the same runs, said again as simply as possible.
private struct StoreModel {
  struct Run {
    var lines: [String] = []
    var status = RunRecord.Status.running
    /// Which store has it, and since which claim.
    var owner: Int?
    var epoch = 1
    var approvals: [String: Approval] = [:]
  }
  struct Hold {
    var run: String
    var amount: Int64
    var actual: Int64?
  }

  var runs: [String: Run] = [:]
  var holds: [String: Hold] = [:]
  /// What each store believes to own, and in which epoch.
  var beliefs: [[String: Int]]
  /// Until when each store's ownership holds for others.
  var leases: [Int64]

  func isFree(_ run: Run, at now: Int64) -> Bool { run.owner.map { leases[$0] < now } ?? true }

  func owns(_ store: Int, _ run: String) -> Bool {
    guard let epoch = beliefs[store][run] else { return false }
    return runs[run]?.epoch == epoch
  }

  func balance(_ run: String) -> Balance {
    let own = holds.values.filter { $0.run == run }
    return Balance(
      own.reduce(0) { $0 + ($1.actual ?? 0) },
      held: own.filter { $0.actual == nil }.reduce(0) { $0 + $1.amount })
  }
}

@Suite struct `Several stores on one file` {
  let folder = ScratchDirectory()
  let time = FixedTime()

  @Test(arguments: [1, 2, 3, 4, 5, 6])
  func `do what one after the other would`(seed: UInt64) async throws {
    var numbers = SeededNumbers(seed: seed)
    let count = 2 + Int(seed % 2)
    let stores = (0..<count).map { number in
      SQLiteStore(
        path: folder.file("rasa.db"), time: time.source, owner: "store \(number)",
        lease: .seconds(3600))
    }
    var model = StoreModel(
      beliefs: Array(repeating: [:], count: count), leases: Array(repeating: 0, count: count))
    for step in 0..<120 {
      let place = Int.random(in: 0..<count, using: &numbers)
      let store = stores[place]
      let now = time.now.milliseconds
      let kind = "step \(step)"
      guard let run = model.runs.keys.sorted().randomElement(using: &numbers),
        Int.random(in: 0..<12, using: &numbers) > 0
      else {
        let run = "r\(step)"
        store.open(record(run), [])
        try await store.append([entry(run, kind)])
        model.runs[run] = .init(lines: [kind], owner: place)
        model.leases[place] = now + 3_600_000
        model.beliefs[place][run] = 1
        continue
      }
      let id = Identifier(run)
      let owns = model.owns(place, run)
      /// What the store does has to succeed exactly when it may.
      func attempt(_ allowed: Bool, _ body: () async throws -> Void) async {
        do {
          try await body()
          #expect(allowed, "\(kind): store \(place) has changed \(run)")
        } catch {
          #expect(!allowed, "\(kind): store \(place) could not change \(run): \(error)")
        }
      }
      switch Int.random(in: 0..<11, using: &numbers) {
      case 0, 1:
        guard let found = model.runs[run] else { continue }
        let isFree = model.isFree(found, at: now)
        let allowed = found.status != .done && isFree
        await attempt(allowed) {
          let history = try await store.claim(id)
          #expect(history.entries.map(\.kind) == found.lines)
        }
        guard allowed else { continue }
        model.runs[run]?.owner = place
        model.runs[run]?.epoch += 1
        model.runs[run]?.status = .running
        model.leases[place] = now + 3_600_000
        model.beliefs[place][run] = model.runs[run]?.epoch
      case 2, 3:
        await attempt(owns) { try await store.append([entry(run, kind)]) }
        if owns { model.runs[run]?.lines.append(kind) }
      case 4:
        // Deferred, and made durable by the next.
        store.record([entry(run, kind)])
        await attempt(owns) { try await store.append([entry(run, kind + "+")]) }
        if owns { model.runs[run]?.lines += [kind, kind + "+"] }
      case 5:
        let amount = Int64.random(in: 0...50, using: &numbers)
        await attempt(owns) {
          let outcome = try await store.reserve(
            request(kind, amount, [leg(run, nil)], run: run), recording: [entry(run, kind)])
          #expect(outcome == .held)
        }
        if owns {
          model.holds[kind] = .init(run: run, amount: amount)
          model.runs[run]?.lines.append(kind)
        }
      case 6:
        let open = model.holds.filter { $0.value.run == run && $0.value.actual == nil }
        guard let hold = open.keys.sorted().first else { continue }
        await attempt(owns) {
          try await store.settle(settlement(hold, 3), recording: [entry(run, kind)])
        }
        if owns {
          model.holds[hold]?.actual = 3
          model.runs[run]?.lines.append(kind)
        }
      case 7:
        let asked = approval(run, ["May it?", "And this?"].randomElement(using: &numbers) ?? "")
        let known = model.runs[run]?.approvals[asked.id]
        let isNew = known == nil || known?.standing == .withdrawn
        await attempt(owns) {
          let found = try await store.ask(asked, recording: [entry(run, kind)])
          #expect(found == (isNew ? asked : known))
        }
        if owns, isNew {
          model.runs[run]?.approvals[asked.id] = asked
          model.runs[run]?.lines.append(kind)
        }
      case 8:
        guard let known = model.runs[run]?.approvals.values.min(by: { $0.id < $1.id }) else {
          continue
        }
        let answer = HumanAnswer(.reject, text: .string(kind), by: "store \(place)")
        var answered = known
        answered.standing = .answered(answer, at: time.now)
        let receipt = try await store.answer(known.id, answer)
        #expect(receipt == (known.standing == .pending ? .accepted(answered) : .late(known)))
        if known.standing == .pending { model.runs[run]?.approvals[known.id] = answered }
      case 9:
        let status = [RunRecord.Status.parked, .failed, .done].randomElement(using: &numbers)
        let ending = RunEnding(status ?? .done)
        await attempt(owns) { try await store.close(id, ending, [entry(run, kind)]) }
        guard owns else { continue }
        model.beliefs[place][run] = nil
        model.runs[run]?.owner = nil
        model.runs[run]?.status = ending.status
        model.runs[run]?.lines.append(kind)
        if ending.status != .parked {
          for (id, approval) in model.runs[run]?.approvals ?? [:]
          where approval.standing == .pending {
            model.runs[run]?.approvals[id]?.standing = .withdrawn
          }
        }
      default:
        if Bool.random(using: &numbers) {
          time.pass(seconds: 3601)
          continue
        }
        guard let found = model.runs[run] else { continue }
        let isFree = model.isFree(found, at: now)
        await attempt(isFree) { _ = try await store.deleteRun(id) }
        if isFree { model.runs[run] = nil }
      }
      try await compare(stores, model, at: kind)
    }
  }

  private func compare(_ stores: [SQLiteStore], _ model: StoreModel, at step: String) async throws {
    for (run, expected) in model.runs {
      let reader = stores[step.utf8.count % stores.count]
      // What a store that has lost the run has deferred is not for others to see.
      let reading = try await (reader.leases.isOwned(run) ? stores[0] : reader).writer.read {
        try $0.journal(of: Identifier(run))
      }
      #expect(reading?.damage == nil)
      #expect(reading?.entries.map(\.kind) == expected.lines, "\(step): \(run)")
      let listing = try await reader.run(run)
      #expect(listing?.record.status == expected.status, "\(step): \(run)")
      #expect(listing?.lines == expected.lines.count)
      let approvals = try await reader.approvals(
        ApprovalFilter(onlyPending: false, run: Identifier(run)), limit: 9)
      #expect(Set(approvals) == Set(expected.approvals.values), "\(step): \(run)")
    }
    for run in Set(model.holds.values.map(\.run)) {
      let balance = try await stores[0].balance(of: leg(run, nil).scope)
      #expect(balance == model.balance(run), "\(step): the money of \(run)")
    }
  }

  @Test func `never own a run at the same time`() async throws {
    let stores = (0..<3).map { number in
      SQLiteStore(path: folder.file("rasa.db"), time: time.source, owner: "store \(number)")
    }
    stores[0].open(record("r1"), [])
    try await stores[0].close("r1", RunEnding(.parked), [])
    // Every store claims it again and again; who has it writes a line that says so, and lets go.
    let claims = await withTaskGroup(of: Int.self) { group in
      for place in 0..<3 {
        group.addTask {
          var claims = 0
          for number in 0..<30 {
            guard (try? await stores[place].claim("r1")) != nil else { continue }
            claims += 1
            let name = "\(place).\(number)"
            do {
              try await stores[place].append([entry("r1", "begins", .string(name))])
              try await stores[place].close(
                "r1", RunEnding(.parked), [entry("r1", "ends", .string(name))])
            } catch { Issue.record(error) }
          }
          return claims
        }
      }
      return await group.reduce(0, +)
    }
    let entries = try await stores[0].entries(of: "r1")
    #expect(entries.count == claims * 2)
    #expect(claims > 0)
    for place in stride(from: 0, to: entries.count - 1, by: 2) {
      #expect(entries[place].kind == "begins" && entries[place + 1].kind == "ends")
      #expect(entries[place].body == entries[place + 1].body)
    }
  }
}
