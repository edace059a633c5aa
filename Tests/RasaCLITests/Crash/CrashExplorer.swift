import Glibc
import RasaCore
import RasaTestKit

/// Crashes a scenario wherever it can be crashed, lets it go on, and looks at what it came to.
struct CrashExplorer: Sendable {
  let scenario: Scenario
  let reference: Arrival
  /// Which places each process of an undisturbed journey passes, counted from 0.
  let places: [[FaultPlace]]
  /// How long an undisturbed journey's first process takes, and what passes on the wire meanwhile.
  let time: Duration
  let bytes: Int

  /// Travels undisturbed first.
  init(_ scenario: Scenario) async throws {
    self.scenario = scenario
    let journey = try Journey(scenario)
    let home = journey.program.home
    try await journey.travel { .trace(path: home.file("trace-\($0)")) }
    time = journey.processes.first?.time ?? .zero
    bytes = journey.provider.bytes
    guard let journal = try await journey.journal() else {
      throw Failure(.run, "\(scenario.name) left no run: \(journey.story)")
    }
    reference = Arrival(journey, journal)
    places = try journey.processes.indices.map {
      FaultPlace.places(ofTrace: try home.read("trace-\($0)") ?? "")
    }
    let problems = try await journey.problems(comparedWith: reference)
    guard problems.isEmpty, !reference.output.isNull else {
      throw Failure(
        .run, "\(scenario.name) does not come out right undisturbed: \(problems)\(journey.story)")
    }
  }

  /// One journey for each place that one of its processes passes.
  func everyPlace() -> [Expedition] {
    places.enumerated().flatMap { index, places in
      places.map { Expedition(explorer: self, faults: [index: .fault($0)]) }
    }
  }

  /// One journey for each point that one of its processes passes, at any of its occurrences.
  func everyPoint(_ numbers: inout SeededNumbers) -> [Expedition] {
    places.enumerated().flatMap { index, places in
      Dictionary(grouping: places, by: \.point).sorted { $0.key < $1.key }.compactMap {
        $0.value.randomElement(using: &numbers).map {
          Expedition(explorer: self, faults: [index: .fault($0)])
        }
      }
    }
  }

  /// Journeys on which also the process that goes on dies, at a place of the one before it.
  func twice(_ count: Int, _ numbers: inout SeededNumbers) -> [Expedition] {
    (0..<count).compactMap { _ in
      let index = places.indices.randomElement(using: &numbers) ?? 0
      guard let first = places[index].randomElement(using: &numbers),
        let second = places[index].randomElement(using: &numbers)
      else { return nil }
      return Expedition(
        explorer: self, faults: [index: .fault(first), index + 1: .fault(second)],
        mayMiss: true)
    }
  }

  /// A journey whose processes are killed at any moment, the first one surely.
  func anyMoment(_ numbers: inout SeededNumbers) -> Expedition {
    var faults: [Int: Interference] = [:]
    for index in 0..<4 where index == 0 || Int.random(in: 0..<3, using: &numbers) == 0 {
      if Bool.random(using: &numbers) {
        let microseconds = Int64(time / .microseconds(1))
        faults[index] = .time(.microseconds(Int64.random(in: 0...microseconds, using: &numbers)))
      } else {
        faults[index] = .bytes(Int.random(in: 0...bytes, using: &numbers))
      }
    }
    return Expedition(explorer: self, faults: faults, mayMiss: true)
  }
}

/// A journey with what is to happen on it.
struct Expedition: Sendable, CustomStringConvertible {
  var explorer: CrashExplorer
  /// What is done to which process.
  var faults: [Int: Interference]
  /// Whether a process may come to its end before its fault strikes.
  var mayMiss = false

  var description: String {
    explorer.scenario.name
      + faults.sorted { $0.key < $1.key }.map { ", process \($0.key + 1) \($0.value)" }.joined()
  }

  func carryOut() async -> Finding {
    var finding = Finding(expedition: self)
    do {
      let journey = try Journey(explorer.scenario)
      try await journey.travel { faults[$0] }
      finding.kills = journey.processes.count(where: \.wasKilled)
      finding.problems = try await journey.problems(comparedWith: explorer.reference)
      for (index, fault) in faults {
        guard case .fault(let place) = fault, !mayMiss, place.isSteady else { continue }
        if !journey.processes.indices.contains(index) || !journey.processes[index].wasKilled {
          finding.problems.append(
            Problem(kind: .failed, text: "\(place) was not reached again"))
        }
      }
      if !finding.problems.isEmpty { finding.story = journey.story }
    } catch {
      finding.problems.append(Problem(kind: .failed, text: "\(error)"))
    }
    return finding
  }
}

/// What came of an expedition.
struct Finding: Sendable {
  var expedition: Expedition
  var kills = 0
  var problems: [Problem] = []
  var story = ""
}

extension [Expedition] {
  /// Two at a time, which is what the machines that run this have.
  func carryOut() async -> [Finding] {
    await withTaskGroup(of: Finding.self) { group in
      var findings: [Finding] = []
      var rest = self[...]
      for _ in 0..<2 {
        if let next = rest.popFirst() { group.addTask { await next.carryOut() } }
      }
      while let finding = await group.next() {
        findings.append(finding)
        if let next = rest.popFirst() { group.addTask { await next.carryOut() } }
      }
      return findings
    }
  }
}
