import RasaCore
import RasaDocuments
import RasaPersona
import RasaTestKit
import Testing

@Suite struct ShippedFilesTests {
  @Test(arguments: ["personas", "operators", "agents", "models"])
  func everyFileIsEmbeddedUnchanged(folder: String) throws {
    let embedded = Shipped.embedded.filter { $0.name.hasPrefix(folder + "/") }
    let present = Shipped.list(folder).map { "\(folder)/\($0)" }
    #expect(embedded.map(\.name).sorted() == present)
    for (name, bytes) in embedded {
      #expect(Shipped.read(Repository.path(name)) == bytes, "\(name)")
    }
  }

  @Test func everyOperatorLoadsWithoutAWarning() throws {
    let names = try Shipped.library.operators().map(\.name)
    #expect(
      names == [
        "alt_recommendation_operator", "compose", "critic_agent", "explain_operator",
        "heuristic_agent", "hitl", "loop_decision", "preference_agent", "quality_review", "recall",
        "remember", "respond", "tone_formatter",
      ])
    for name in names {
      let reading = try Shipped.library.readOperator(named: name)
      #expect(reading.failures.isEmpty, "\(name)")
      #expect(reading.warnings.isEmpty, "\(name)")
      #expect(reading.definition?.name == name)
      #expect(reading.definition?.description.isEmpty == false, "\(name) has no description")
    }
  }

  @Test func everyPersonaLoadsWithoutAWarning() throws {
    let names = try Shipped.library.personas().map(\.name)
    #expect(
      names == [
        "contract_reviewer", "feature_workshop", "incident_responder", "repository_steward",
        "strategic_stock_analyst", "strategic_stock_analyst_tools", "support_triage",
      ])
    for name in names {
      let reading = try Shipped.library.readPersona(named: name)
      #expect(reading.failures.isEmpty, "\(name)")
      #expect(reading.warnings.isEmpty, "\(name)")
      #expect(reading.definition?.name == name)
    }
  }

  @Test func theStockAnalystIsTheOneOfTheDesign() throws {
    let block = """
      name: strategic_stock_analyst
      description: AI-powered analyst for stock advice, sector insights, and alternatives.
      frames:
        - stateless_frame
        - session_frame
        - short_term_frame
        - long_term_frame
      operators:
        - preference_agent
        - critic_agent
        - explain_operator
        - alt_recommendation_operator
      prompt_style: detailed
      metadata:
        tone: analytical
        domain: finance
        preferred_sources: ["Yahoo Finance", "Seeking Alpha", "Bloomberg"]
        persona_traits: ["cautious", "comprehensive"]

      """
    let file = Shipped.embedded.first { $0.name == "personas/strategic_stock_analyst.yaml" }
    #expect(file.map { String(decoding: $0.bytes, as: UTF8.self) } == block)
    let persona = try Shipped.library.persona(named: "strategic_stock_analyst")
    #expect(persona.frames.map(\.kind) == [.stateless, .session, .shortTerm, .longTerm])
    #expect(
      persona.operators.map(\.name) == [
        "preference_agent", "critic_agent", "explain_operator", "alt_recommendation_operator",
      ])
    #expect(persona.promptStyle == "detailed")
    #expect(persona.metadata["persona_traits"] == ["cautious", "comprehensive"])
  }

  @Test func theCriticMaySendBackTwiceOrAskAPerson() throws {
    let critic = try Shipped.library.operatorDefinition(named: "critic_agent")
    // It sees the writer's instructions and its own last verdict, so as not to go in circles.
    #expect(
      critic.reads == [
        "input", "preferences", "constraints", "draft", "context.session", "critique", "feedback",
      ])
    #expect(critic.optionalReads == ["constraints", "critique", "feedback"])
    #expect(critic.writes == [Write(key: "critique", type: .object)])
    #expect(critic.profile == .thinking)
    #expect(critic.then.map(\.action) == [.to("respond"), .review(subject: "draft")])
    #expect(critic.then.map(\.atMost) == [2, nil])
    #expect(critic.then.map(\.when?.source).last == #"critique.verdict == "escalate""#)
  }

  @Test func explanationAndAlternativesDoNotDependOnEachOther() throws {
    let explain = try Shipped.library.operatorDefinition(named: "explain_operator")
    let alternatives = try Shipped.library.operatorDefinition(named: "alt_recommendation_operator")
    let writes = (explain.writes + alternatives.writes).map(\.key)
    #expect(writes == ["explanation", "alternatives"])
    for read in explain.reads + alternatives.reads { #expect(!writes.contains(read.key)) }
  }

  /// A prompt has to read well even if it has nothing to insert except the request.
  @Test func promptsReadWellWhenOptionalPartsAreMissing() throws {
    let respond = try Shipped.library.operatorDefinition(named: "respond")
    let prompt = try #require(respond.prompt)
    #expect(!prompt.paths.contains("context.session"))
    let text = prompt.render { $0 == "input" ? "What now?" : .null }
    #expect(!text.contains("null") && !text.contains("{{"))
    #expect(text.hasPrefix("<request>\nWhat now?\n</request>\n"))
    #expect(!text.contains("draft") && !text.contains("constraint"))
  }
}
