/// The terms of a task: its content words, and each pair of adjacent ones.
struct TaskTerms {
  struct Term {
    /// As written in the task, lowercased.
    var text: String
    var isPair: Bool
    /// The term itself: its stem, and its form as one word or as several.
    var hashes: [TermHash]
    var related: [Relation] = []
    /// How much it says, however few agents have it: little for a word that everybody says, one at most.
    var rarity = 1.0
  }

  /// A term that may stand for another one.
  struct Relation {
    var hash: TermHash
    /// What it counts, relative to the term itself.
    var share: Double
  }

  /// What is searched, and so what a related term of a table counts. Tables relate what goes together, as `kubernetes`
  /// and `deployment`: the agent for one is often that for the other, but a tool does one small thing.
  enum Aim: Double {
    case agents = 0.6
    case tools = 0.3
  }

  private(set) var terms: [Term] = []
  /// The stems of all words, including stop words.
  private(set) var stems: [TermHash] = []

  init(_ task: String, related: RelatedTerms, for aim: Aim = .agents) {
    var reader = Tokenizer()
    reader.read(task)
    var found = FoundTerms()
    var previous: Tokenizer.Token?
    var word = -1
    var pair = -1
    for token in reader.tokens {
      switch token.kind {
      case .end: previous = nil
      case .stopWord: stems.append(token.hash)
      case .compound:
        // Another form of the previous word, or of the previous two.
        let isOneWord = previous?.range == token.range
        found.add(token.hash, to: isOneWord ? word : pair)
      case .word:
        stems.append(token.hash)
        word = found.add(
          Term(text: reader.text(of: token), isPair: false, hashes: [token.hash]))
        if let previous, previous.hash != token.hash {
          let phrase = TermHash(phrase: [previous.hash, token.hash])
          pair = found.add(
            Term(
              text: "\(reader.text(of: previous)) \(reader.text(of: token))", isPair: true,
              hashes: [phrase, reader.joined(previous, token)]))
        }
        previous = token
      }
    }
    let phrases = Self.phrases(reader)
    let beginnings = Set(
      reader.tokens.map { WordBeginning(ofWord: reader.letters[$0.range]) })
    let relations = related.relations(
      of: Set(found.terms.flatMap(\.hashes) + phrases.map(\.hashes[0])), beginnings: beginnings)
    for phrase in phrases where relations[phrase.hashes[0]] != nil { _ = found.add(phrase) }
    if FilePaths.contains(in: task) {
      for action in Self.actionsOnFiles { _ = found.add(action) }
    }
    terms = found.terms
    for index in terms.indices {
      let term = terms[index]
      var shares: [TermHash: Double] = [:]
      func relate(_ other: TermHash, _ share: Double) {
        guard !term.hashes.contains(other) else { return }
        shares[other] = max(shares[other] ?? 0, share)
      }
      for hash in term.hashes {
        for other in relations[hash] ?? [] { relate(other, aim.rawValue) }
      }
      if !term.isPair, let words = related.words {
        terms[index].rarity = words.rarity(term.hashes[0])
        for other in words.near(term.hashes[0]) { relate(other.word, other.share) }
      }
      terms[index].related = shares.sorted { $0.key < $1.key }.map {
        Relation(hash: $0.key, share: $0.value)
      }
    }
  }

  /// What a task with the path of a file asks for besides, without saying so: “a summary in /tmp/a.md”.
  private static let actionsOnFiles: [Term] = {
    var reader = Tokenizer()
    return ["write file", "read file"].map { text in
      reader.read(text)
      return Term(
        text: text, isPair: true,
        hashes: [TermHash(phrase: reader.tokens.filter { $0.kind == .word }.map(\.hash))])
    }
  }()

  /// Two to five adjacent words, including stop words: they may be signs of something.
  private static func phrases(_ reader: Tokenizer) -> [Term] {
    let words = reader.tokens.filter { $0.kind != .compound }.prefix(400)
    var phrases: [Term] = []
    for start in words.indices {
      var phrase: [TermHash] = []
      for word in words[start...].prefix(RelatedTerms.longestSign) {
        guard word.kind != .end else { break }
        phrase.append(word.hash)
        guard phrase.count > 1 else { continue }
        phrases.append(
          Term(
            text: reader.text(words[start...].prefix(phrase.count)), isPair: true,
            hashes: [TermHash(phrase: phrase)]))
      }
    }
    return phrases
  }
}

/// The terms of a task in order of occurrence, without duplicates.
private struct FoundTerms {
  private(set) var terms: [TaskTerms.Term] = []
  private var places: [TermHash: Int] = [:]
  /// More terms than this do not make the result more precise.
  private static let most = 240

  /// Returns the position of the term; -1 if there are too many.
  mutating func add(_ term: TaskTerms.Term) -> Int {
    if let place = places[term.hashes[0]] { return place }
    guard terms.count < Self.most else { return -1 }
    places[term.hashes[0]] = terms.count
    terms.append(term)
    return terms.count - 1
  }

  mutating func add(_ hash: TermHash, to place: Int) {
    guard terms.indices.contains(place), !terms[place].hashes.contains(hash) else { return }
    terms[place].hashes.append(hash)
  }
}
