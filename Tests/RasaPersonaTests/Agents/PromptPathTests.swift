import RasaCore
import RasaPersona
import Testing

/// Where a TOML file says that its prompt is, found without reading the rest where that is sure.
@Suite struct PromptPathTests {
  @Test(arguments: [
    ("[agent]\nprompt_path = \"p.md\"", ["p.md"]),
    ("[agent]\nid = \"a\"\nprompt_path = 'p.md' # here\nmirror_path=\"m.md\"\n", ["p.md", "m.md"]),
    ("[agent]\r\n\tprompt_path\t= \"p.md\"\r\n", ["p.md"]),
    ("[agent] # the agent\nmirror_path = \"m.md\"\nprompt_path = \"p.md\"", ["p.md", "m.md"]),
    // What has to be parsed.
    ("agent.prompt_path = \"p.md\"", ["p.md"]),
    ("agent = {prompt_path = \"p.md\", mirror_path = \"m.md\"}", ["p.md", "m.md"]),
    ("[ agent ]\n\"prompt_path\" = \"p.md\"", ["p.md"]),
    ("[agent]\nprompt_path = \"a\\u0062.md\"", ["ab.md"]),
    ("[agent]\nprompt_path = '''p.md'''", ["p.md"]),
    ("[agent]\ndescription = '''\nprompt_path = \"no.md\"\n'''\nprompt_path = \"p.md\"", ["p.md"]),
    ("[agent]\ndescription = \"\"\"\n[agent.x]\n\"\"\"\nprompt_path = \"p.md\"", ["p.md"]),
    ("[agent]\nprompt_path = \"p.md\"\n\"mirror_path\" = \"m.md\"", ["p.md", "m.md"]),
    ("[agent.sandbox]\nprompt_path = \"no.md\"\n[agent]\nprompt_path = \"p.md\"", ["p.md"]),
    ("id = \"a\"\nprompt_path = \"p.md\"", ["p.md"]),
    // What says nothing.
    ("[agent]\nid = \"a\"", []), ("[agent]\nprompt_path = \"\"", []),
    ("[agent]\nprompt_path = 3", []), ("[agent]\n# prompt_path = \"p.md\"", []),
  ])
  func areFound(text: String, paths: [String]) throws {
    let document = SourceDocument(bytes: Array(text.utf8), path: "a.toml")
    #expect(try AgentLoader.promptPaths(in: document) == paths)
  }

  @Test func ofABrokenFileAreAFailureWithAPlace() {
    let document = SourceDocument(bytes: Array("[agent\nid".utf8), path: "a.toml")
    #expect { try AgentLoader.promptPaths(in: document) } throws: {
      ($0 as? Failure)?.location?.line == 1
    }
  }
}

@Suite struct AgentIDTests {
  @Test(arguments: ["a", "arch-agent", "3d", "a-1-b", String(repeating: "a", count: 64)])
  func isKebabCase(id: String) {
    #expect(AgentID.isValid(id) && AgentID.make(of: id) == id)
  }

  @Test(arguments: [
    ("", nil), ("-", nil), ("分析", nil), ("a-", "a"), ("-a", "a"), ("a--b", "a-b"), ("A", "a"),
    ("arch_agent", "arch-agent"), ("Architecture Agent", "architecture-agent"),
    ("ArchitectureAgent", "architecture-agent"), ("API Designer", "api-designer"),
    ("Bob's agent (2)", "bobs-agent-2"), ("a/../b", "a-b"), ("Ünï", "n"),
    (String(repeating: "a", count: 65), String(repeating: "a", count: 64)),
    (String(repeating: "a", count: 63) + "-b", String(repeating: "a", count: 63)),
  ])
  func isMadeOfAName(name: String, id: String?) {
    #expect(!AgentID.isValid(name) && AgentID.make(of: name) == id)
    #expect(id.map { AgentID.isValid($0) } != false)
  }
}
