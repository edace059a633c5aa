import RasaPersona

/// The skills of an agent that declares no capability, derived from its ID, its name and the
/// headings of its prompt.
///
/// Most existing agents were written for other tools, which have no such field. Descriptions and
/// examples need not be split into skills: their words count as parts of one (`AgentTerms`).
enum DerivedSkills {
  private static let most = 12
  /// A longer heading is a sentence.
  private static let mostWords = 5

  static func read(_ agent: Agent, prompt: String, _ reader: inout Tokenizer) -> [String] {
    var skills: [String] = []
    func add(_ text: String, _ reader: inout Tokenizer) {
      guard skills.count < most, let skill = skill(text, &reader), !skills.contains(skill) else {
        return
      }
      skills.append(skill)
    }
    add(agent.id, &reader)
    add(agent.name, &reader)
    for heading in headings(of: prompt) { add(heading, &reader) }
    return skills
  }

  /// The meaningful words, joined by hyphens like declared capabilities; nil if there are none.
  private static func skill(_ text: String, _ reader: inout Tokenizer) -> String? {
    reader.read(text)
    let words = reader.tokens.filter { $0.kind == .word && !generic.contains($0.hash) }
    guard !words.isEmpty, words.count <= mostWords else { return nil }
    return words.map { reader.text(of: $0) }.joined(separator: "-")
  }

  /// Lines that start with `#` outside fenced blocks, which contain examples.
  private static func headings(of prompt: String) -> [String] {
    var headings: [String] = []
    var isFenced = false
    for line in prompt.utf8.split(separator: UInt8(ascii: "\n")) {
      guard let first = line.first else { continue }
      if first == UInt8(ascii: "`") || first == UInt8(ascii: "~") {
        if line.starts(with: "```".utf8) || line.starts(with: "~~~".utf8) { isFenced.toggle() }
      } else if first == UInt8(ascii: "#"), !isFenced {
        let text = line.drop { $0 == UInt8(ascii: "#") }
        if line.count - text.count <= 4, (2...80).contains(text.count) {
          headings.append(String(decoding: text, as: UTF8.self))
        }
      }
    }
    return headings
  }

  /// Generic words for agents and for sections of their prompts.
  private static let generic: Set<TermHash> = {
    var reader = Tokenizer()
    reader.read(text)
    return Set(reader.tokens.filter { $0.kind == .word }.map(\.hash))
  }()

  private static let text = """
    advanced agent ai answer approach area aspect assignment assistant background behavior behaviour
    best bot boundary call capability checklist communication complete completion constraint content
    context core criteria critical deliverable detail do dont edge example execution expert expertise
    final focus follow format framework general goal guide guideline guru helper identity important
    input instruction introduction job key knowledge know limitation list main mandatory master method
    methodology mission modern mode note objective operating output overview part pattern persona phase
    philosophy policy practice prerequisite principle pro process professional profile proficiency
    prompt protocol purpose question reference remember requirement response responsibility result role
    rule scope section setup skill specialist specialization specialty standard start step strategy
    strict structure style subagent success summary system task technique template tip tone tool trait
    trigger usage use user variable when work workflow you
    """
}
