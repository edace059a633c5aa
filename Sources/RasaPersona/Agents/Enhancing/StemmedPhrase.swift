import RasaLanguage
/// A text as a sequence of stems, so that `reviews code` matches `review code`.
struct StemmedPhrase {
  let stems: [[UInt8]]
  /// The positions of each stem, so that phrases are compared only where they can start.
  private let places: [[UInt8]: [Int]]

  /// No text describes itself beyond this many words.
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

  /// How often the phrase occurs.
  func count(_ phrase: StemmedPhrase) -> Int {
    guard let first = phrase.stems.first else { return 0 }
    return (places[first] ?? []).count { stems[$0...].starts(with: phrase.stems) }
  }
}
