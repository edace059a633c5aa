/// A text as stems in a row, so that `reviews code` is found as `review code`.
struct StemmedPhrase {
  let stems: [[UInt8]]
  /// Where each stem stands, so that phrases are looked for only where they can begin.
  private let places: [[UInt8]: [Int]]

  /// Nobody describes himself behind this many words.
  private static let most = 4_000

  init(_ text: String, _ stemmer: Stemmer) {
    var stems: [[UInt8]] = []
    var word: [UInt8] = []
    func close() {
      if !word.isEmpty { stems.append(stemmer.stem(word)) }
      word.removeAll(keepingCapacity: true)
    }
    for byte in text.lowercased().utf8 {
      let isPart =
        byte >= 0x80 || (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z"))
        || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
      if isPart {
        word.append(byte)
      } else {
        close()
        if stems.count >= Self.most { break }
      }
    }
    close()
    self.stems = stems
    places = Dictionary(grouping: stems.indices) { stems[$0] }
  }

  /// How often the words of a phrase stand in a row.
  func count(_ phrase: StemmedPhrase) -> Int {
    guard let first = phrase.stems.first else { return 0 }
    return (places[first] ?? []).count { stems[$0...].starts(with: phrase.stems) }
  }
}
