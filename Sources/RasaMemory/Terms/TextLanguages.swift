import RasaLanguage

/// The languages of the texts on a shelf, and how many there are of each. An empty code stands for an unknown one.
package struct TextLanguages: Sendable, Hashable {
  /// In the order in which they came. A language keeps its place also when its last text is gone.
  package private(set) var counts: [(code: String, texts: Int)]

  /// What comes later counts as unknown.
  private static let most = 100

  package init() { counts = [] }

  /// As `text` has it.
  package init(_ text: String) {
    counts = text.split(separator: ";").map { entry in
      let parts = entry.split(separator: " ", omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    }
  }

  package var text: String { counts.map { "\($0.code) \($0.texts)" }.joined(separator: ";") }

  /// The language of a text that is added: as it seems, or that of most texts where it is too short to tell.
  package func language(of text: String) -> String {
    if let written = writtenLanguage(of: text) { return written }
    let most = counts.map(\.texts).max() ?? 0
    return most > 0 ? counts.first { $0.texts == most }?.code ?? "" : ""
  }

  /// Returns its place, from 0.
  package mutating func add(_ code: String) -> Int {
    let code = counts.count < Self.most || counts.contains { $0.code == code } ? code : ""
    if let known = counts.firstIndex(where: { $0.code == code }) {
      counts[known].texts += 1
      return known
    }
    counts.append((code, 1))
    return counts.count - 1
  }

  package mutating func remove(_ code: String) {
    guard let place = counts.firstIndex(where: { $0.code == code }) else { return }
    counts[place].texts = max(0, counts[place].texts - 1)
  }

  /// The languages of several shelves, those of most texts first, as many as a word of a question may have forms.
  package static func union(_ all: [TextLanguages]) -> [String] {
    var counts: [String: Int] = [:]
    for languages in all {
      for (code, texts) in languages.counts where texts > 0 { counts[code, default: 0] += texts }
    }
    let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return sorted.prefix(24).map(\.key)
  }

  package func code(at place: Int) -> String {
    counts.indices.contains(place) ? counts[place].code : ""
  }

  package static func == (one: TextLanguages, other: TextLanguages) -> Bool {
    one.text == other.text
  }
  package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
