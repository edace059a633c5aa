import RasaPersona
import RasaTestKit
import Testing

@testable import RasaAgents

@Suite("The stored words of an agent")
struct NoteTests {
  private let architect = agent(
    "arch-agent", ["architecture", "system-design"], name: "Architecture Agent",
    description: "Decides how systems are built.")

  private func found(_ task: String, in note: [UInt8]) -> [String: TermVector.Places] {
    let terms = TaskTerms(task, related: RelatedTerms())
    let slots = TermSlots(terms)
    var found: [String: TermVector.Places] = [:]
    slots.find(in: note) { slot, _, places in
      for use in slots.uses[slot] {
        found[terms.terms[use.term].text, default: []].formUnion(places)
      }
    }
    return found
  }

  @Test func hasTheFieldsOfAWord() {
    let note = AgentTerms.note(architect, prompt: "Draw diagrams first.")
    let places = found("architecture, system design, systems, built, diagrams, unknown", in: note)
    #expect(places["architecture"] == [.whole, .name])
    #expect(places["system"] == [.part, .description])
    #expect(places["system design"] == [.whole, .part])
    #expect(places["built"] == [.description])
    #expect(places["diagrams"] == [.prompt])
    #expect(places["unknown"] == nil)
  }

  @Test func theWordAgentSaysNothing() {
    #expect(found("agent", in: AgentTerms.note(architect, prompt: "")).isEmpty)
  }

  @Test func isTheSameForTheSameAgent() {
    #expect(
      AgentTerms.note(architect, prompt: "text") == AgentTerms.note(architect, prompt: "text"))
  }

  @Test func isTheSameFromABuilderWithACache() async {
    let noter = TermVectorBuilder()
    let agents = (0..<600).map { number in
      agent(
        "agent-\(number)", ["word\(number)-review"], description: "Writes c\(number % 7) and so on."
      )
    }
    await withTaskGroup(of: Bool.self) { group in
      for agent in agents {
        group.addTask {
          noter.note(agent, prompt: "You are agent.")
            == AgentTerms.note(agent, prompt: "You are agent.")
        }
      }
      for await isSame in group { #expect(isSame) }
    }
  }

  @Test func isSmall() {
    let prompt = (0..<100_000).map { "word\($0)" }.joined(separator: " ")
    let note = AgentTerms.note(architect, prompt: prompt)
    #expect(note.count < 8_000)
    #expect(TermVector.count(in: note) != nil)
  }

  @Test func holdsAtMostSoManyTerms() {
    let terms = (0..<10_000).map {
      TermVector.Term(hash: TermHash(bits: UInt32($0)), weight: Double($0), places: .prompt)
    }
    #expect(TermVector.count(in: TermVector.encode(terms)) == TermVector.most)
  }

  @Test func weightsStayWithinAByte() {
    let terms = [0.0, 1e-9, 3, 1e9].enumerated().map {
      TermVector.Term(hash: TermHash(bits: UInt32($0)), weight: $1, places: .name)
    }
    let bytes = TermVector.encode(terms)
    #expect(
      Array(bytes[(TermVector.headerSize + 16)..<(TermVector.headerSize + 20)]) == [1, 1, 36, 255])
  }

  @Test("bytes of any kind are read without a trap, and the agent is still ranked")
  func damage() {
    let note = AgentTerms.note(architect, prompt: "Draw diagrams first.")
    var chance = SeededNumbers(seed: 7)
    for round in 0..<3_000 {
      var bytes = note
      switch round % 4 {
      case 0:
        bytes = (0..<Int.random(in: 0...64, using: &chance)).map { _ in
          .random(in: 0...255, using: &chance)
        }
      case 1: bytes.removeLast(Int.random(in: 0...bytes.count, using: &chance))
      case 2: bytes += [UInt8](repeating: 0, count: Int.random(in: 1...9, using: &chance))
      default:
        for _ in 0..<8 {
          bytes[Int.random(in: bytes.indices, using: &chance)] = .random(
            in: 0...255, using: &chance)
        }
      }
      let registry = AgentRegistry([.init(agent: architect, relevance: bytes)])
      let found = Recommender.plain.all("design the architecture of a system", among: registry)
      #expect(found.agents.allSatisfy { (0...140).contains($0.score) && $0.score.isFinite })
    }
  }

  @Test func anAgentWithoutANoteIsReadAgain() {
    let bare = AgentRegistry([.init(agent: architect)])
    let score = Recommender.plain.one("arch-agent", for: "system design", among: bare)?.score
    #expect(
      score
        == Recommender.plain.one("arch-agent", for: "system design", among: registry(architect))?
        .score)
    #expect(score != nil)
  }
}
