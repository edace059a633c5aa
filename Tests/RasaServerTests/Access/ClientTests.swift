import Testing

@testable import RasaServer

@Suite("A client of the server")
struct ClientTests {
  @Test(
    "a pattern with stars covers names, and nothing beside them",
    arguments: [
      ("openai:gpt-4o", "openai:*", true), ("openai:gpt-4o", "openai:gpt-4o", true),
      ("openai:gpt-4o-mini", "openai:gpt-4o", false), ("openai:gpt-4o", "*mini", false),
      ("a", "*", true), ("aXbYc", "a*b*c", true), ("ab", "a*b*b", false), ("ab", "", false),
    ])
  func patterns(name: String, pattern: String, isCovered: Bool) {
    #expect(Client.matches(name, pattern) == isCovered)
  }
}
