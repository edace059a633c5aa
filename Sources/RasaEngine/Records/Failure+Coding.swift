import RasaCore

/// A failure as a line of a journal has it.
extension Failure {
  var journalBody: ValueObject {
    var body: ValueObject = [
      "kind": .string(kind.rawValue), "message": .string(message), "mend": .string(suggestion),
      "details": .array(details.map { .string($0) }),
    ]
    if let reason { body["reason"] = .string(reason) }
    if !steps.isEmpty {
      body["steps"] = .array(
        steps.map { step in
          var place: ValueObject = [
            "frame": .string(step.frame), "operator": .string(step.operatorName),
          ]
          if let visit = step.visit { place["visit"] = .int(Int64(visit)) }
          if let round = step.round { place["round"] = .int(Int64(round)) }
          return .object(place)
        })
    }
    if isOfWholeRun { body["whole_run"] = true }
    return body
  }

  /// - Parameter kind: what it is taken for where the line names no kind that this version knows.
  init(journal body: Value, else kind: Kind = .run) {
    self.init(
      body["kind"].string.flatMap(Kind.init(rawValue:)) ?? kind, body["message"].string ?? "",
      suggestion: body["mend"].string ?? "",
      details: (body["details"].array ?? []).compactMap(\.string))
    reason = body["reason"].string
    if let places = body["steps"].array {
      steps = places.compactMap { place in
        guard let frame = place["frame"].string, let name = place["operator"].string else {
          return nil
        }
        return FailedStep(
          operatorName: name, frame: frame, visit: place["visit"].int.map { Int(clamping: $0) },
          round: place["round"].int.map { Int(clamping: $0) })
      }
      isOfWholeRun = body["whole_run"].bool ?? false
    } else {
      readPlaceFromDetails()
      isOfWholeRun = body["whole_run"].bool ?? saysThatTimeIsUp
    }
  }

  /// Earlier versions wrote only in words where a failure came up.
  private mutating func readPlaceFromDetails() {
    for detail in details {
      let parts = detail.split(separator: "`", omittingEmptySubsequences: false)
      if parts.count == 5, parts[0] == "in the operator ", parts[2] == " of " {
        steps.append(FailedStep(operatorName: String(parts[1]), frame: String(parts[3])))
      }
    }
  }

  /// And that the time of the whole run was up.
  var saysThatTimeIsUp: Bool { details.contains(Self.personsTime) }

  static let personsTime = "time that a person takes to answer is not counted"

  /// Takes out where it came up, which is added wherever an operator fails, so that it is not there twice.
  package mutating func withdrawPlace() {
    let places = steps.map(\.line)
    details.removeAll { places.contains($0) }
    steps = []
  }
}

extension FailedStep {
  init(_ step: Step) {
    self.init(
      operatorName: step.operatorName, frame: step.frame, visit: step.visit, round: step.round)
  }

  /// For people, among a failure's details.
  var line: String { "in the operator `\(operatorName)` of `\(frame)`" }

  /// Whether it was, or may have been, in this pass.
  func isSamePass(as step: Step) -> Bool {
    operatorName == step.operatorName && frame == step.frame && (visit ?? step.visit) == step.visit
      && (round ?? step.round) == step.round
  }
}
