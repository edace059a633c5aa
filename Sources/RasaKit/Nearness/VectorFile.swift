import RasaCore
import RasaDocuments
import RasaModels
import RasaSystem

/// Vectors that were paid for, kept in a file of the user's by what they are of.
///
/// It is believed only where its checksum is right; else there is none, and everything is asked for
/// again. Two programs may write it at once: the later one wins.
struct VectorFile: Sendable {
  let path: String

  /// SHA-256 of the model and the text.
  typealias Key = [UInt8]

  private static let magic: [UInt8] = Array("rasavec1".utf8)
  private static let headLength = 16
  private static let keyLength = 32
  static let largest = 256 << 20

  static func key(_ text: String, by model: EmbeddingModel) -> Key {
    // Every part is preceded by its length, so that no two keys are made of the same bytes.
    let parts = [model.provider, model.address, model.model, text]
    return Digest.sha256Bytes(parts.flatMap { Array("\($0.utf8.count):\($0)".utf8) })
  }

  // MARK: Reading

  struct Kept: Sendable {
    fileprivate var bytes: [UInt8] = []
    /// In the order of the file.
    fileprivate var records: [(key: Key, numbers: Range<Int>)] = []
    fileprivate var places: [Key: Int] = [:]

    subscript(key: Key) -> [Float]? {
      guard let place = places[key] else { return nil }
      let range = records[place].numbers
      return stride(from: range.lowerBound, to: range.upperBound, by: 4).map {
        Float(bitPattern: VectorFile.number(bytes, at: $0))
      }
    }
  }

  func read() -> Kept {
    guard let bytes = try? FileSystem.readIfPresent(path, limit: Self.largest),
      bytes.count >= Self.headLength, bytes.starts(with: Self.magic),
      Self.checksum(bytes) == Array(bytes[8..<16])
    else { return Kept() }
    var kept = Kept()
    var place = Self.headLength
    while place < bytes.count {
      let begin = place + Self.keyLength + 4
      guard begin <= bytes.count else { return Kept() }
      let count = Int(Self.number(bytes, at: begin - 4))
      guard (1...EmbeddingLimits.dimensions).contains(count), count * 4 <= bytes.count - begin
      else { return Kept() }
      let key = Array(bytes[place..<place + Self.keyLength])
      kept.places[key] = kept.records.count
      place = begin + count * 4
      kept.records.append((key, begin..<place))
    }
    kept.bytes = bytes
    return kept
  }

  // MARK: Writing

  /// Keeps new vectors, those that are in use, and as many of the others as there is room for.
  func write(_ new: [Key: [Float]], using inUse: [Key], over kept: Kept) throws(Failure) {
    var bytes = Self.magic + [UInt8](repeating: 0, count: 8)
    var written: Set<Key> = []
    func add(_ key: Key, _ numbers: ArraySlice<UInt8>) {
      let length = Self.keyLength + 4 + numbers.count
      guard length <= Self.largest - bytes.count, written.insert(key).inserted else { return }
      bytes += key
      bytes += Self.bytes(UInt32(clamping: numbers.count / 4))
      bytes += numbers
    }
    for key in inUse {
      if let vector = new[key] {
        add(key, vector.flatMap { Self.bytes($0.bitPattern) }[...])
      } else if let place = kept.places[key] {
        add(key, kept.bytes[kept.records[place].numbers])
      }
    }
    for record in kept.records { add(record.key, kept.bytes[record.numbers]) }
    bytes.replaceSubrange(8..<16, with: Self.checksum(bytes))
    try FileSystem.makeFolder(FileSystem.parent(of: path))
    try FileSystem.write(bytes, to: path, lasting: false)
  }

  // MARK: Bytes

  private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    let sum = Checksum.of(bytes, from: headLength)
    return Self.bytes(UInt32(truncatingIfNeeded: sum))
      + Self.bytes(UInt32(truncatingIfNeeded: sum >> 32))
  }

  private static func bytes(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  fileprivate static func number(_ bytes: [UInt8], at place: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (UInt32($1) * 8) }
  }
}
