import RasaCore
import RasaDocuments
import RasaTestKit

extension Script {
  /// Answers as the operators of the first example want to be answered.
  static func forOperator(_ name: String, _ text: String) -> Script {
    Script.text(text).with { script in
      script.matches = { $0.schemaName == name }
    }
  }
}

extension ReceivedRequest {
  /// Which operator asks, when it has a schema.
  var schemaName: String? { json["response_format"]["json_schema"]["name"].string }
}

extension ReceivedRequest {
  /// What the system message says beside the day on which the run began.
  var instructions: String {
    let message = messages.first ?? ""
    guard let date = message.firstRange(of: "\n\nToday is ") else { return message }
    return String(message[..<date.lowerBound])
  }
}

extension ProgramRun {
  /// Whether the program printed an answer, as text or in a document, and not only what went wrong.
  var hasAnswer: Bool {
    guard !output.isEmpty else { return false }
    guard let document = try? JSON.parse(output) else { return true }
    return document["error"].isNull || !document["output"].isNull
  }
}

extension RasaProgram {
  /// The persona `gate`, in which a person approves a verdict with a schema.
  func writeJudge(writing key: String, then others: String = "") throws {
    try home.write(
      """
      name: judge
      kind: llm
      description: Judges.
      reads: [input]
      writes: {\(key): object}
      review: always
      prompt: Judge {{input}}
      output:
        type: object
        properties: {verdict: {type: string, enum: [pass, revise]}}
        required: [verdict]

      """, to: "operators/judge.yaml")
    try home.write(
      "name: gate\ndescription: d\nframes: [session_frame]\noperators: [judge\(others)]\n",
      to: "personas/gate.yaml")
  }

  /// Adds the persona `reviewed`, whose draft a person has to approve.
  func addReviewedPersona() throws {
    try home.write(
      """
      name: reviewed
      description: A draft that a person looks at.
      frames: [session_frame, short_term_frame]
      operators:
        - respond
        - {name: hitl, frame: session_frame}
      """, to: "personas/reviewed.yaml")
  }
}
