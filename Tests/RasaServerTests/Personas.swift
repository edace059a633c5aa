import RasaTestKit

/// The program in a home with these personas, with a provider that lives as long as this.
final class ServingSetting: Sendable {
  let program: RasaProgram
  let provider: ScriptedProvider?

  /// Each script serves one request, and the last one all that follow. Without any the mock answers.
  init(_ scripts: [Script]?) throws {
    provider = try scripts.map { scripts throws in
      let each = scripts.dropLast().map { script in script.with { $0.limit = 1 } }
      return try ScriptedProvider.start(each + scripts.suffix(1), models: ["gpt-4o-mini"])
    }
    program = try RasaProgram(provider)
    try Personas.write(to: program.home)
  }

  var requests: [ReceivedRequest] { provider?.requests ?? [] }
}

/// Files of personas and agents that the tests of protocols use.
enum Personas {
  static let single =
    "name: single\ndescription: One answer.\nframes: [session_frame]\noperators: []\n"

  /// A person has to approve its draft.
  static let careful = """
    ---
    name: careful-writer
    description: Writes what a person has to approve.
    recommended_models: {primary: "openai:gpt-4o-mini"}
    quality_gates: [human_approval]
    ---
    You write.
    """

  /// It asks for a city first.
  static let asking = """
    name: asking
    description: Asks first.
    frames: [session_frame]
    operators:
      - name: clarify
        kind: human
        reads: [input]
        writes: {wish: object}
        ask: What do you mean by {{input}}?
        output: {type: object, properties: {city: {type: string}, days: {type: integer}}, required: [city]}
      - name: respond
        kind: llm
        reads: [input, wish]
        writes: {draft: text}
        prompt: "{{input}}: {{wish}}"

    """

  static func write(to home: ScratchDirectory) throws {
    try home.write(single, to: "personas/single.yaml")
    try home.write(asking, to: "personas/asking.yaml")
    try home.write(careful, to: "agents/careful-writer.md")
  }
}
