import Testing

@testable import RasaAgents

@Suite("Words of tasks and agents")
struct WordTests {
  private func words(_ text: String) -> [String] {
    var reader = Tokenizer()
    reader.read(text)
    return reader.tokens.compactMap { token in
      switch token.kind {
      case .word: reader.text(of: token)
      case .compound: "<\(reader.text(of: token))>"
      case .stopWord: nil
      case .end: "|"
      }
    }
  }

  @Test(arguments: [
    ("Design a REST API", ["design", "rest", "api"]),
    ("system_design", ["system", "design", "<systemdesign>"]),
    ("system-design", ["system", "design", "<systemdesign>"]),
    ("systemDesign", ["system", "design", "<systemdesign>"]),
    ("PostgreSQL", ["postgresql", "<postgresql>"]),
    ("APIs, JSON; XML.", ["apis", "|", "json", "|", "xml", "|"]),
    ("the user's data and users' data", ["user", "data", "users", "data"]),
    ("C++ and C# and c", ["c++", "c#", "c"]),
    ("a + b # e", []),
    ("CI/CD", ["ci", "cd"]),
    ("ÜBERSETZE Größe", ["übersetze", "größe"]),
    ("設計API", ["設", "計", "api"]),
    ("--- ___ ''", []),
    ("-dashed- _under_", ["dashed", "under"]),
    ("user\u{00A0}management\u{200B}system", ["user", "management", "system"]),
    ("", []),
  ])
  func areCut(text: String, expected: [String]) { #expect(words(text) == expected) }

  @Test func compoundsAreTheSameHoweverTheyAreWritten() {
    func hashes(_ text: String) -> Set<TermHash> {
      var reader = Tokenizer()
      reader.read(text)
      return Set(reader.tokens.filter { $0.kind != .end }.map(\.hash))
    }
    #expect(hashes("front-end") == hashes("front_end"))
    #expect(hashes("front-end") == hashes("frontEnd"))
    #expect(hashes("front-end").isSuperset(of: hashes("frontend")))
  }

  @Test func theOrderOfAPhraseDoesNotMatter() {
    let code = TermHash(stem: Array("code".utf8))
    let review = TermHash(stem: Array("review".utf8))
    #expect(TermHash(phrase: [code, review]) == TermHash(phrase: [review, code]))
    #expect(TermHash(phrase: [code, review]) != TermHash(phrase: [code]))
    #expect(TermHash(phrase: [code]) != code)
  }

  /// Stored indexes contain these numbers.
  @Test func hashesAreStable() {
    #expect(TermHash(stem: Array("design".utf8)).bits == 99_594_212)
    #expect(TermHash(phrase: [TermHash(bits: 1), TermHash(bits: 2)]).bits == 3_812_545_902)
  }

  @Test func aTaskIsItsWordsAndPairs() {
    let task = TaskTerms("Please review the code of our front-end", related: RelatedTerms())
    #expect(
      task.terms.map(\.text) == [
        "review", "code", "review code", "front", "code front", "end", "front end",
      ])
    #expect(task.terms.last?.hashes.count == 2)
  }

  @Test func aRepeatedWordCountsOnce() {
    let task = TaskTerms("test tests testing test", related: RelatedTerms())
    #expect(task.terms.map(\.text) == ["test"])
  }

  @Test func longTextsAreCutOff() {
    let text = (0..<10_000).map { "word\($0)" }.joined(separator: " ")
    #expect(TaskTerms(text, related: RelatedTerms()).terms.count == 240)
  }

  private func related(_ task: String, _ tables: String...) -> [Set<String>] {
    let names = [
      "bug", "defect", "testing", "pull request", "coverage", "glitch", "c#", "naïve", "how long",
    ]
    var known: [TermHash: String] = [:]
    for name in names {
      if let hash = TaskTerms(name, related: RelatedTerms()).terms.last?.hashes[0] {
        known[hash] = name
      }
    }
    return TaskTerms(task, related: RelatedTerms(tables)).terms
      .map { Set($0.related.compactMap { known[$0.hash] }) }.filter { !$0.isEmpty }
  }

  @Test(
    arguments: [
      ("bugs", [["defect"]]), ("the defect", [["bug"]]), ("Pull requests", [["testing"]]),
      ("coverage", [["testing"]]), ("testing", []), ("glitch", []), ("C#", [["bug"]]),
      ("Naïve", [["defect"]]), ("how long will it take", [["coverage"]]), ("long", []),
      ("How, long", []), ("e-mails", [["glitch"]]), ("emails", [["glitch"]]),
      ("i'm late", [["glitch"]]),
    ] as [(String, [Set<String>])])
  func aTableRelatesWordsAndPhrases(task: String, expected: [Set<String>]) {
    let table = """
      bug, defect # not glitch
      # testing, bug

      testing: pull request, coverage
      ,:,
      bug: C#
      defect: naïve
      coverage: how long will it
      glitch: e-mail, I'm late
      :
      """
    #expect(related(task, table) == expected)
  }

  @Test func tablesAreCombined() {
    #expect(related("bug", "bug, defect", "bug, coverage") == [["defect", "coverage"]])
  }

  @Test func theShippedTableCoversItsPurpose() {
    let table = RelatedTerms.shipped()
    for (word, other) in [("crash", "bug"), ("invoice", "accounting"), ("proofread", "edit")] {
      let one = TaskTerms(word, related: table).terms[0]
      let two = TaskTerms(other, related: RelatedTerms()).terms[0]
      #expect(one.related.contains { $0.hash == two.hashes[0] }, "\(word) and \(other)")
    }
  }
}
