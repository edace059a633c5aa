import CStemmer

/// Snowball stems of words of one language. One may be used by one thread at a time.
@safe package final class Stemmer {
  /// Null if memory has run out, or for a language without an algorithm; a word is its own stem then.
  private let stemmer: OpaquePointer?
  private static let longestWord = 256

  /// - Parameter language: its name in English, as `english`.
  package init(_ language: String = "english") { unsafe stemmer = sb_stemmer_new(language, nil) }

  deinit { unsafe sb_stemmer_delete(stemmer) }

  /// The stem of a lower-cased word in UTF-8. What is longer than any word is left as it is.
  package func stem(_ word: [UInt8]) -> [UInt8] {
    guard let stemmer = unsafe stemmer, word.count <= Self.longestWord else { return word }
    return unsafe word.withUnsafeBufferPointer { word in
      guard let stem = unsafe sb_stemmer_stem(stemmer, word.baseAddress, Int32(word.count)) else {
        return unsafe Array(word)
      }
      let length = unsafe sb_stemmer_length(stemmer)
      return unsafe Array(UnsafeBufferPointer(start: stem, count: Int(length)))
    }
  }
}
