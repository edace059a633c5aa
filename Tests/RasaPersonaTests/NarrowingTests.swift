import RasaCore
import Testing

@testable import RasaPersona

@Suite("Which agents are seen")
struct NarrowingTests {
  @Test(
    arguments: [
      ("code-reviewer", "code-reviewer", true), ("code-reviewer", "code-review", false),
      ("security-*", "security-reviewer", true), ("security-*", "insecurity-x", false),
      ("*-reviewer", "code-reviewer", true), ("*-reviewer", "reviewer", false),
      ("*", "anything", true), ("a*c*e", "abcde", true), ("a*c*e", "abde", false),
      ("ab*b", "ab", false), ("ab*b", "abb", true), ("", "x", false), ("**", "x", true),
    ])
  func patterns(pattern: String, id: String, expected: Bool) {
    #expect(AgentNarrowing.List([pattern], place: "").allows(id) == expected)
  }

  @Test func everyListHolds() {
    let both = AgentNarrowing([.init(["a", "b"], place: "one")]).and(
      .init(["b", "c"], place: "two"))
    #expect(["a", "b", "c"].filter(both.allows) == ["b"])
    #expect(both.refusing("a")?.place == "two")
    #expect(AgentNarrowing().allows("a"))
    #expect(!AgentNarrowing([.init([], place: "none")]).allows("a"))
  }

  @Test func anExcludedAgentIsReportedWithTheList() {
    let narrowing = AgentNarrowing([.init(["a", "b-*"], place: "`agents` in x.yaml:3")])
    let failure = #expect(throws: Failure.self) { try narrowing.require("c") }
    #expect(
      failure?.message == "the agent `c` is left out: `agents` in x.yaml:3 names only a, b-*")
    #expect(throws: Never.self) { try narrowing.require("b-1") }
  }

  @Test func unknownIDsAreReportedWithASuggestion() {
    let narrowing = AgentNarrowing([.init(["code-reviwer", "zzz*", "writer"], place: "`--agents`")])
    let found = narrowing.unknown(among: ["code-reviewer", "writer"])
    #expect(
      found.map(\.sentence) == [
        "`--agents` names `code-reviwer`, but there is no such agent",
        "`--agents` names `zzz*`, but there is no such agent",
      ])
    #expect(found[0].hint == "did you mean `code-reviewer`?")
  }

  @Test func aProjectCanNarrowAndNeverWiden() throws {
    let loader = ConfigurationLoader(isKnownZone: { _ in true })
    let configuration = try loader.load(
      user: SourceDocument(bytes: Array("agents: [a, b]\n".utf8), path: "config.yaml"),
      project: SourceDocument(bytes: Array("agents: [b, c]\n".utf8), path: ".rasa/config.yaml")
    ).get()
    #expect(["a", "b", "c"].filter(configuration.narrowing.allows) == ["b"])
  }

  @Test(arguments: [
    "[agent]\nid = \"it\"\nname = \"It\"\nprompt_path = \"it.md\"\nagents = [\"a\", \"b-*\"]\n",
    "---\nid: it\nname: It\nagents: [a, b-*]\n---\nYou help.\n",
  ])
  func anAgentHasItInBothForms(text: String) throws {
    let isTOML = text.hasPrefix("[")
    let document = SourceDocument(bytes: Array(text.utf8), path: isTOML ? "it.toml" : "it.md")
    let prompt = SourceDocument(bytes: Array("You help.\n".utf8), path: "it.md")
    let loaded = try AgentLoader.load(
      AgentDocuments(
        config: isTOML ? document : nil, prompt: isTOML ? prompt : document, fileName: "it")
    ).get()
    #expect(loaded.agent.agents?.patterns == ["a", "b-*"])
    #expect(loaded.agent.agents?.place.hasPrefix("`agents` in it.") == true)
  }
}
