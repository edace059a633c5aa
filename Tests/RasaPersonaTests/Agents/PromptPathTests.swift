import RasaCore
import RasaPersona
import Testing

/// The path of the prompt in a TOML file, found without parsing the rest if that is unambiguous.
@Suite struct PromptPathTests {
  @Test(arguments: [
    ("[agent]\nprompt_path = \"p.md\"", ["p.md"]),
    ("[agent]\nid = \"a\"\nprompt_path = 'p.md' # here\nmirror_path=\"m.md\"\n", ["p.md", "m.md"]),
    ("[agent]\r\n\tprompt_path\t= \"p.md\"\r\n", ["p.md"]),
    ("[agent] # the agent\nmirror_path = \"m.md\"\nprompt_path = \"p.md\"", ["p.md", "m.md"]),
    // These have to be parsed.
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
    // These name no prompt.
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
    ("", nil), ("-", nil), ("a-", "a"), ("-a", "a"), ("a--b", "a-b"), ("A", "a"),
    ("arch_agent", "arch-agent"), ("Architecture Agent", "architecture-agent"),
    ("ArchitectureAgent", "architecture-agent"), ("API Designer", "api-designer"),
    ("Bob's agent (2)", "bobs-agent-2"), ("a/../b", "a-b"), ("Ünï", "uni"),
    (String(repeating: "a", count: 65), String(repeating: "a", count: 64)),
    (String(repeating: "a", count: 63) + "-b", String(repeating: "a", count: 63)),
  ])
  func isMadeOfAName(name: String, id: String?) {
    #expect(!AgentID.isValid(name) && AgentID.make(of: name) == id)
    #expect(id.map { AgentID.isValid($0) } != false)
  }

  @Test(
    "distinguishes names that differ in a symbol",
    arguments: [
      ("C# Expert", "c-sharp-expert"), ("C++ Expert", "c-plus-plus-expert"),
      ("C Expert", "c-expert"), ("F#", "f-sharp"), ("C++20", "c-plus-plus-20"),
      (".NET Expert", "dot-net-expert"), ("NET Expert", "net-expert"), ("node.js", "node-js"),
      ("ASP.NET", "asp-net"), ("Issue #5", "issue-5"), ("a+b", "a-b"), ("R&D", "r-d"),
      ("v1.5", "v1-5"), ("...", nil),
    ])
  func signs(name: String, id: String?) { #expect(AgentID.make(of: name) == id) }

  @Test(
    "keeps letters of every script",
    arguments: [
      ("Übersetzer Plus", "ubersetzer-plus"), ("Prüfer für Äpfel", "prufer-fur-apfel"),
      ("Straße", "strasse"), ("Łódź Øresund đak", "lodz-oresund-dak"), ("Việt Nam", "viet-nam"),
      ("Æsir œuvre", "aesir-oeuvre"), ("İstanbul", "istanbul"), ("Обзор кода", "obzor-koda"),
      ("Щука Йод", "shchuka-yod"), ("Ελληνικά", "ellinika"), ("４２ ａｂｃ", "42-abc"),
      ("コードレビュー", "コードレビュー"), ("代码审查", "代码审查"), ("코드 검토", "코드-검토"),
      ("हिन्दी समीक्षक", "हिन्दी-समीक्षक"), ("مراجع الكود", "مراجع-الكود"),
      ("👩‍💻 Coder", "coder"), ("Bob’s agent", "bobs-agent"),
    ])
  func scripts(name: String, id: String) {
    #expect(AgentID.make(of: name) == id)
    #expect(AgentID.isValid(id) && AgentID.make(of: id) == id)
  }

  @Test("is the same however a letter and its mark are put together")
  func forms() {
    for (one, other) in [
      ("u\u{308}ber", "\u{FC}ber"), ("\u{418}\u{306}od", "\u{419}od"),
      ("\u{30D2}\u{309A}", "\u{30D4}"), ("\u{1100}\u{1161}", "\u{AC00}"),
    ] {
      let ids = [one, other].map { Array((AgentID.make(of: $0) ?? "").utf8) }
      #expect(ids[0] == ids[1] && !ids[0].isEmpty)
    }
    // Text that is equal to an id only by `==` is not an id.
    #expect(AgentID.isValid("\u{30D4}") && !AgentID.isValid("\u{30D2}\u{309A}"))
  }

  @Test("has an end, between two letters")
  func length() throws {
    for letter in ["ä", "審", "𠀀"] {
      let id = try #require(AgentID.make(of: String(repeating: letter, count: 200)))
      #expect(AgentID.isValid(id) && id.unicodeScalars.count <= 64 && id.utf8.count <= 192)
    }
  }
}
