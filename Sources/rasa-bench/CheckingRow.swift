import Glibc
import RasaCore
import RasaEngine
import RasaPersona

/// What reading and checking a persona as large as one may be takes, and whether that grows with its
/// size. Each shape is one in which a check that compares everything with everything would be felt.
extension Row {
  static let checking = Row("check a persona of 1 MB") { _, row in
    var slowest = (shape: "", seconds: 0.0, growth: 0.0)
    for shape in LargePersona.allCases {
      let half = try seconds(shape, bytes: 500_000)
      let whole = try seconds(shape, bytes: 1_000_000)
      if whole > slowest.seconds { slowest = (shape.rawValue, whole, whole / half) }
    }
    return RowResult(
      name: row.name, measured: "\((slowest.seconds * 1000).short) ms", floor: "–", ratio: 0,
      target: "≤ 1 s", isMet: slowest.seconds <= 1,
      notes: "\(slowest.shape), the slowest of \(LargePersona.allCases.count) shapes; it takes "
        + "\(slowest.growth.short) × as long as half of it")
  }

  private static func seconds(_ shape: LargePersona, bytes: Int) throws -> Double {
    let document = SourceDocument(bytes: Array(shape.text(bytes: bytes).utf8), path: "large.yaml")
    let library = Library(personas: [], operators: [])
    var best = Double.infinity
    for _ in 0..<3 {
      let start = processorTime()
      let persona = try library.readPersona(document, beside: NoFiles()).get()
      let graph = try Graph.compile(persona, operators: { _ throws(Failure) in composing })
      let calls = graph.mostCalls
      best = min(best, processorTime() - start)
      guard calls >= 0, graph.nodes.count > 100 else { throw Failure(.run, "nothing was checked") }
    }
    return best
  }

  /// The only operator that is implied: it has nothing to put together here.
  private static let composing = OperatorDefinition(
    name: "compose", kind: .rule, reads: ["draft"], writes: [Write(key: "output", type: .text)],
    compose: Composition(key: "output", parts: [.init(from: "draft"), .init(from: "nothing")]))

  /// Seconds of this thread alone: other work on the machine does not count.
  private static func processorTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

private struct NoFiles: DefinitionSource {
  var label: String { "nowhere" }
  func list() throws(Failure) -> [String] { [] }
  func read(_ name: String) throws(Failure) -> SourceDocument? { nil }
  func readSibling(_ path: String, of document: String) throws(Failure) -> SourceDocument {
    throw Failure(.configuration, "there is no \(path)")
  }
}

private enum LargePersona: String, CaseIterable {
  case chain = "a chain of operators"
  case frames = "a chain of frames that lead back"
  case routes = "operators that go back to the first"
  case branches = "parallel frames"
  case repeated = "one operator in many frames"
  case keys = "operators that write many keys"

  /// A valid persona of about so many bytes, or of as many values as a document may have.
  func text(bytes: Int) -> String {
    var (operators, frames) = ("", "")
    var (number, values) = (0, 0)
    let enough = bytes / 1000 * 95
    while operators.utf8.count + frames.utf8.count < bytes - 500, values < enough {
      let (before, key) = (number == 0 ? "input" : "k\(number - 1)", "k\(number)")
      let filler = String(repeating: "x", count: 60)
      switch self {
      case .chain:
        operators +=
          "- {name: o\(number), kind: llm, reads: [\(before)], writes: {\(key): text}, "
          + "prompt: '{{\(before)}} \(filler)'}\n"
        values += 14
      case .frames:
        operators += "- {name: o\(number), kind: llm, writes: [\(key)], prompt: \(filler)}\n"
        frames +=
          "- {name: f\(number), kind: session, operators: [o\(number)], "
          + "next: [{to: f\(number / 2), when: \"\(key) == 'x'\", at_most: 2}]}\n"
        values += 27
      case .routes:
        operators +=
          "- {name: o\(number), kind: llm, reads: [\(before)], writes: [\(key)], "
          + "prompt: '\(filler)', then: [{to: o\(number / 2), when: \"\(key) == 'x'\", "
          + "at_most: 3}]}\n"
        values += 23
      case .branches:
        operators += "- {name: o\(number), kind: llm, writes: [\(key)], prompt: \(filler)}\n"
        frames += "- {name: f\(number), kind: session, operators: [o\(number)]}\n"
        values += 19
      case .repeated:
        frames += "- {name: f\(number), kind: session, operators: [same]}\n"
        values += 8
      case .keys:
        let keys = (0..<100).map { "k\(number)_\($0): any" }.joined(separator: ", ")
        let reads =
          number == 0
          ? "" : (0..<100).map { "k\(number - 1)_\($0)" }.joined(separator: ", ")
        operators +=
          "- {name: o\(number), kind: rule, reads: [\(reads)], writes: {\(keys)}, "
          + "rules: [{set: {k\(number)_0: 1}}]}\n"
        values += 320
      }
      number += 1
    }
    operators += "- {name: same, kind: llm, writes: [draft], prompt: Say something.}\n"
    switch self {
    case .chain, .routes, .keys: frames = "- {name: only, kind: session}\n"
    case .frames, .repeated: frames += "- {name: last, kind: session, operators: [same]}\n"
    case .branches:
      let names = (0..<number).map { "f\($0)" }.joined(separator: ", ")
      frames =
        "- {name: first, kind: session, operators: [same], parallel: [\(names)]}\n" + frames
    }
    return "name: large\ndescription: As large as one may be.\noperators:\n\(operators)"
      + "frames:\n\(frames)"
  }
}
