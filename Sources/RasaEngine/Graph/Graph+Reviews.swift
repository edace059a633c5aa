import RasaCore
import RasaPersona

/// What people decide about, and what follows from it.
extension Graph {
  /// Who can write it anew: its writer, or, where that is a rule, whoever wrote what the rule was
  /// given. Nil when nobody can.
  func author(of path: StatePath) -> Int? {
    var writers = WriterIndex(self)
    return writers.author(of: path)
  }

  /// What a person sees and decides about under a path. The output is seen as it would go out now,
  /// whether or not it has been put together already.
  func payload(of subject: StatePath, _ view: State) -> Value {
    guard subject == .output else { return view[subject] }
    let isWritten = nodes.contains { node in
      node.writes.contains(.output) && node.definition.compose?.key != "output"
    }
    if isWritten, !view[.output].isNull { return view[.output] }
    if outputParts.count == 1, let only = outputParts.first, only.heading == nil {
      let value = view[only.from]
      return value.isNull && only.from == .output ? view[.draft] : value
    }
    return .string(Composition(key: "output", parts: outputParts).text { view[$0] })
  }

  /// The keys that such a decision is about, all that an edit replaces.
  func paths(decidedBy subject: StatePath) -> [StatePath] {
    subject == .output ? [.output] + outputParts.map(\.from) : [subject]
  }

  func consequences(
    of node: Int, about subject: StatePath, isPending: Bool
  ) -> Question.Consequences {
    let definition = nodes[node].definition
    let frame = frames[nodes[node].frame]
    let isOutput = subject == .output || outputParts.map(\.from) == [subject]
    let goesBackTo: String? =
      if isPending, definition.kind != .rule {
        definition.name
      } else {
        author(of: subject).flatMap { author in
          let isInside = frame.isBranch || frames[nodes[author].frame].isBranch
          return isInside ? nil : nodes[author].definition.name
        }
      }
    let again =
      frame.isBranch
      ? "all of \(frame.name)"
      : (reentryPrelude.map { nodes[$0].definition.name + ", then everything" } ?? "everything")
        + " from \(frames[reentry].name) on"
    return Question.Consequences(
      approve: isOutput ? "it goes out exactly as shown" : "it counts exactly as shown",
      edit: isOutput ? "your text goes out in its place" : "your text counts in its place",
      reject: goesBackTo.map {
        "with a reason it is sent back to \($0), without one the run ends as denied"
      } ?? "the run ends as denied",
      feedback: "\(again) runs again with what you say")
  }

  /// What is written after a person has reviewed the whole output, and is therefore not reviewed.
  func unseenParts() -> [Warning] {
    var found: [Warning] = []
    for (index, node) in nodes.enumerated() where node.definition.reviewSubject == .output {
      for later in nodes[(index + 1)...] where later.definition.compose == nil {
        guard
          let part = outputParts.first(where: { part in
            later.writes.contains { $0.overlaps(part.from) }
          })
        else { continue }
        found.append(
          Warning(
            "`\(later.definition.name)` writes `\(part.from)` after "
              + "`\(node.definition.name)` has shown the output to a person, and nobody sees that: "
              + "put `\(node.definition.name)` behind it", at: later.definition.location))
      }
    }
    return found
  }
}
