package import RasaCore

/// What fits a question best.
///
/// An item is ranked by the words of the question in it (BM25, with common words counting for less than usual) and in what
/// was said just before and after it: an answer often repeats no word of what was asked. What the one said who is named in
/// the question goes before what others said, a statement before a question, and what says more before what says less.
package struct Ranking: Sendable {
  /// An item with the reasons for its rank. A score of 1 is that of an item that has each word of the question once.
  package struct Match: Sendable, Hashable {
    /// Which of the shelves it stands on.
    package var shelf: Int
    package var item: ShelfItem
    /// What the words in the item itself say.
    package var own: Double
    /// What the words around it, and who said it, add to that.
    package var context: Double
    /// The similarity of vectors, including those of its neighbours.
    package var similarity: Double
    /// That it comes from the time that the question asks about.
    package var time: Double
    /// Words of the question that stand in the item, as they stand in the question.
    package var words: [String]

    package var score: Double { own + context + similarity + time }
  }

  package var words: QueryWords
  /// The similarity of the nearest vectors to that of the question, by item. The scale does not matter.
  package var similarities: [Int64: Double]
  /// The time that the question asks about, if it does.
  package var period: AskedPeriod?

  /// How many of the nearest items say enough about all of them.
  package static let nearestWanted = 250

  package init(
    words: QueryWords, similarities: [Int64: Double] = [:], period: AskedPeriod? = nil
  ) {
    self.words = words
    self.similarities = similarities
    self.period = period
  }

  /// The best matches, best first; of two equal ones the later.
  ///
  /// - Parameters:
  ///   - places: where the items of `similarities` stand on each shelf.
  ///   - time: what was said later is not found, but still counts as what stands beside another item.
  ///   - accepts: asked in the order of the scores, until there are enough. What it refuses counts in the same way.
  package func matches(
    on shelves: [any ItemShelf], near places: [[Int32]] = [], until time: Timestamp? = nil,
    limit: Int, accepts: (Match) throws -> Bool = { _ in true }
  ) throws -> [Match] {
    let total = shelves.reduce(0) { $0 + $1.items }
    guard total > 0, limit > 0 else { return [] }
    let found = try lookUp(on: shelves, total: total)
    let scale = RankingParameters.weight(frequency: 1, of: total)
    let ideal = max(scale, found.reduce(0) { $0 + ($1.isSpeaker ? 0 : $1.weight) })
    let nearest = normalised()
    // Nothing but names: what is wanted is what these people said.
    let isOnlyNames = found.count == words.words.count && found.allSatisfy(\.isNameOfSpeaker)
    let looks = try shelves.indices.filter { shelves[$0].items > 0 }.map { number in
      try CloseLook(
        shelves[number], number, found, near: places.isEmpty ? [] : places[number],
        isOnlyNames: isOnlyNames, scale: scale, ideal: ideal, nearest, period)
    }
    var most = max(RankingParameters.candidates, limit * 4)
    while true {
      var isAll = true
      var matches: [Match] = []
      for look in looks {
        let (found, isAllOfShelf) = try look.matches(atMost: most, until: time)
        matches += found
        isAll = isAll && isAllOfShelf
      }
      matches.sort {
        ($0.score, $0.item.time, $0.item.item) > ($1.score, $1.item.time, $1.item.item)
      }
      var accepted: [Match] = []
      for match in matches where try accepts(match) {
        accepted.append(match)
        if accepted.count == limit { return accepted }
      }
      if isAll { return accepted }
      // Most of the candidates may not be found, so others have to be looked at.
      most *= 8
    }
  }

  /// Words with the number of items that have them, those that say something first.
  private func lookUp(on shelves: [any ItemShelf], total: Int) throws -> [FoundWord] {
    var found: [FoundWord] = []
    for word in words.words {
      let frequencies = try shelves.map { shelf in
        try word.terms.map { try shelf.frequency(of: $0) }
      }
      let said = shelves.map { shelf in
        shelf.speakers.reduce(0) { $0 + ($1.names.contains(word.name) ? $1.items : 0) }
      }
      let inAll = zip(shelves, frequencies).reduce(0) { $0 + min($1.0.items, $1.1.reduce(0, +)) }
      if inAll == 0, said.allSatisfy({ $0 == 0 }) { continue }
      found.append(
        FoundWord(
          word: word, frequencies: frequencies,
          isNameOfSpeaker: said.contains { $0 > 0 },
          isSpeakerOn: zip(shelves, said).map {
            $0.1 > 0 && $0.1 * RankingParameters.speakerPart >= $0.0.items
          },
          weight: inAll == 0 ? 0 : RankingParameters.weight(frequency: inAll, of: total)))
    }
    guard found.count > RankingParameters.mostWords else { return found }
    return Array(found.sorted { $0.weight > $1.weight }.prefix(RankingParameters.mostWords))
  }

  /// From 0 for the least similar of the nearest items to 1 for the nearest.
  private func normalised() -> [Int64: Double] {
    guard let least = similarities.values.min(), let most = similarities.values.max() else {
      return [:]
    }
    let width = most - least
    return similarities.mapValues { width > 0 ? ($0 - least) / width : 1 }
  }
}

private struct FoundWord {
  var word: QueryWords.Word
  /// By shelf and term.
  var frequencies: [[Int]]
  /// Whether it is a name of somebody who said something.
  var isNameOfSpeaker: Bool
  /// By shelf: whether it is the name of somebody who is talked with there.
  var isSpeakerOn: [Bool]
  var weight: Double

  var isSpeaker: Bool { isSpeakerOn.contains(true) }
}

/// One shelf under a question.
private struct CloseLook {
  private struct Word {
    var text: String
    var weight: Double
    var postings: Postings
  }
  private typealias Neighbour = (item: ShelfItem, part: (words: Double, similarity: Double))

  private let shelf: any ItemShelf
  private let number: Int
  private var words: [Word] = []
  /// By number: whether the question names that speaker.
  private var isNamed: [Bool]
  private let near: [Int32]
  private let isOnlyNames: Bool
  private let scale: Double
  private let ideal: Double
  private let nearest: [Int64: Double]
  private let period: AskedPeriod?
  private let usualLength: Double
  private let roughly: Roughly

  init(
    _ shelf: any ItemShelf, _ number: Int, _ found: [FoundWord], near: [Int32],
    isOnlyNames: Bool, scale: Double, ideal: Double, _ nearest: [Int64: Double],
    _ period: AskedPeriod?
  ) throws {
    self.shelf = shelf
    self.number = number
    self.near = near
    self.isOnlyNames = isOnlyNames
    self.scale = scale
    self.ideal = ideal
    self.nearest = nearest
    self.period = period
    usualLength = max(1, Double(shelf.length) / Double(shelf.items))
    let names = Set(found.map(\.word.name))
    isNamed = [false] + shelf.speakers.map { !names.isDisjoint(with: $0.names) }
    let present = found.map { ($0, frequency: $0.frequencies[number].reduce(0, +)) }
      .filter { $0.frequency > 0 }
    var wanted = present.filter { !$0.0.isSpeakerOn[number] }
    // Somebody is asked about with nothing but a name.
    if wanted.isEmpty { wanted = present }
    if shelf.items >= RankingParameters.fewItems {
      let rare = wanted.filter { $0.frequency * RankingParameters.commonPart <= shelf.items }
      if !rare.isEmpty { wanted = rare }
    }
    for (word, _) in wanted {
      let terms = zip(word.word.terms, word.frequencies[number]).filter { $0.1 > 0 }
      words.append(
        Word(
          text: word.word.text, weight: word.weight,
          postings: .union(try terms.map { try shelf.postings(of: $0.0) })))
    }
    roughly = Roughly(
      words.map { ($0.weight, $0.postings) },
      context: shelf.isConversation ? RankingParameters.around : [])
  }

  /// The candidates with their scores, in no order, and whether there are no others.
  func matches(
    atMost most: Int, until time: Timestamp?
  ) throws -> (matches: [Ranking.Match], isAll: Bool) {
    var (candidates, isAll) = roughly.best(most, before: shelf.end)
    if isOnlyNames {
      let said = try saidByNamed(atMost: most)
      candidates += said.places
      isAll = isAll && said.isAll
    }
    let places =
      near.isEmpty && !isOnlyNames ? candidates : Set(candidates + near).sorted()
    var matches: [Ranking.Match] = []
    let reach = shelf.isConversation ? RankingParameters.reach : 0
    var position = 0
    while position < places.count {
      // Places that are close together are read together.
      var end = position + 1
      while end < places.count, places[end] - places[end - 1] <= 2 * reach + 16,
        end - position < 256
      {
        end += 1
      }
      let items = try shelf.items(
        at: max(0, places[position] - reach)...(places[end - 1] + reach))
      var at = 0
      for place in places[position..<end] {
        while at < items.count, items[at].place < place { at += 1 }
        guard at < items.count, items[at].place == place else { continue }
        // A fact may have been stated before that, too.
        if shelf.isConversation, let time, items[at].time > time { continue }
        matches.append(match(items, at))
      }
      position = end
    }
    return (matches, isAll)
  }

  /// The places of what those said whom the question names, the latest of them, and whether there are no others.
  private func saidByNamed(atMost most: Int) throws -> (places: [Int32], isAll: Bool) {
    var left = zip(shelf.speakers, isNamed.dropFirst()).reduce(0) { $0 + ($1.1 ? $1.0.items : 0) }
    var places: [Int32] = []
    var end = shelf.end
    while end > 0, left > 0 {
      if places.count >= most { return (places, false) }
      let begin = max(0, end - 1_024)
      for item in try shelf.items(at: begin...(end - 1))
      where isNamed.indices.contains(item.speaker) && isNamed[item.speaker] {
        places.append(item.place)
        left -= 1
      }
      end = begin
    }
    return (places, true)
  }

  private func match(_ items: [ShelfItem], _ at: Int) -> Ranking.Match {
    let item = items[at]
    let neighbours =
      neighbours(items, at, by: -1, RankingParameters.before)
      + neighbours(items, at, by: 1, RankingParameters.after)
    let wideLength = neighbours.reduce(Double(item.length)) {
      $0 + $1.part.words * Double($1.item.length)
    }
    let wideNorm = RankingParameters.norm(
      length: wideLength,
      usual: shelf.isConversation ? usualLength * RankingParameters.contextLength : usualLength)

    var own = 0.0
    var all = 0.0
    var texts: [String] = []
    for word in words {
      let count = Double(word.postings.count(at: item.place))
      let around = neighbours.reduce(count) {
        $0 + $1.part.words * Double(word.postings.count(at: $1.item.place))
      }
      if around == 0 { continue }
      all += word.weight * RankingParameters.saturated(around, wideNorm)
      if count == 0 { continue }
      own += word.weight * RankingParameters.saturated(count, wideNorm)
      texts.append(word.text)
    }
    let fullness = RankingParameters.fullness(
      item.conversation == 0 ? RankingParameters.lengthAlone : item.length)
    own += scale * fullness
    all += scale * fullness
    if item.isQuestion { all -= scale * RankingParameters.questionWeight }
    if isNamed.indices.contains(item.speaker), isNamed[item.speaker] {
      all += scale * RankingParameters.speakerWeight
    }
    let similarity = neighbours.reduce(nearest[item.item] ?? 0) {
      $0 + $1.part.similarity * (nearest[$1.item.item] ?? 0)
    }
    return Ranking.Match(
      shelf: number, item: item, own: own / ideal, context: (all - own) / ideal,
      similarity: similarity * RankingParameters.similarityWeight,
      time: (period?.closeness(of: item.time) ?? 0) * RankingParameters.periodWeight, words: texts)
  }

  /// What was said before or after it in the same conversation.
  private func neighbours(
    _ items: [ShelfItem], _ at: Int, by step: Int, _ parts: [(words: Double, similarity: Double)]
  ) -> [Neighbour] {
    let item = items[at]
    guard item.conversation != 0 else { return [] }
    var found: [Neighbour] = []
    var next = at + step
    while found.count < parts.count, items.indices.contains(next),
      abs(items[next].place - item.place) <= RankingParameters.reach
    {
      if items[next].conversation == item.conversation {
        found.append((items[next], parts[found.count]))
      }
      next += step
    }
    return found
  }
}

/// The places that are worth a close look: the sum of what the words add, whatever the lengths and wherever a conversation
/// ends.
private struct Roughly {
  /// So many places are looked at together: few enough for the fastest memory.
  private static let width = 1024

  private let words: [(weight: Float, places: [Int32])]
  /// What a word adds to the places around it, as a share of its weight; the first is its own.
  private let shares: [(by: Int, share: Float)]
  private let reach: Int

  init(_ words: [(weight: Double, postings: Postings)], context: [(by: Int32, part: Double)]) {
    self.words = words.map { (Float($0.weight), $0.postings.places) }
    shares = ([(by: 0, part: 1)] + context).map {
      (Int($0.by), Float(RankingParameters.saturated($0.part, 1)))
    }
    reach = shares.map { abs($0.by) }.max() ?? 0
  }

  /// The best ones before `end`, in the order of the places, and whether there are no others. Of many equal ones the latest.
  func best(_ count: Int, before end: Int32) -> (places: [Int32], isAll: Bool) {
    // A score and its place as one number: scores are positive, so that their bits have their order.
    var found: [UInt64] = []
    var least: Float = 0
    var isAll = true
    func keepBest() {
      found.sort(by: >)
      guard found.count > count else { return }
      found.removeLast(found.count - count)
      least = Float(bitPattern: UInt32(truncatingIfNeeded: (found.last ?? 0) >> 32))
      isAll = false
    }
    var unread = words.map(\.places.count)
    var own = [Float](repeating: 0, count: Self.width + 2 * reach)
    var scores = [Float](repeating: 0, count: Self.width)
    var begin = Int(end)
    // From the latest place back, past all that no word is near to.
    while begin > 0 {
      var last = -1
      for (number, word) in words.enumerated() where unread[number] > 0 {
        last = max(last, Int(word.places[unread[number] - 1]) + reach)
      }
      if last < 0 { break }
      let stop = min(begin, last + 1)
      begin = max(0, stop - Self.width)
      for index in own.indices { own[index] = 0 }
      for (number, word) in words.enumerated() {
        var index = unread[number]
        while index > 0, Int(word.places[index - 1]) >= begin - reach {
          index -= 1
          let place = Int(word.places[index])
          // What reaches farther back is read again.
          if place >= begin + reach { unread[number] = index }
          let at = place - begin + reach
          if at < own.count { own[at] += word.weight }
        }
      }
      for index in scores.indices { scores[index] = 0 }
      for (by, share) in shares {
        for index in scores.indices { scores[index] += own[index + reach - by] * share }
      }
      for index in (0..<(stop - begin)).reversed() where scores[index] > least {
        found.append(UInt64(scores[index].bitPattern) << 32 | UInt64(begin + index))
        if found.count >= count * 4 { keepBest() }
      }
    }
    keepBest()
    return (found.map { Int32(truncatingIfNeeded: $0) }.sorted(), isAll)
  }
}
