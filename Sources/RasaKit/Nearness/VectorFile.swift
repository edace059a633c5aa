import RasaCore
import RasaModels
import RasaSystem

/// A cache of the vectors that the user has paid for.
///
/// A file with a wrong checksum is ignored, and its vectors are requested again. If two programs write it at once, the
/// later one wins.
struct VectorFile: Sendable {
  let path: String

  /// SHA-256 of the model and the text.
  typealias Key = [UInt8]

  private static let magic: [UInt8] = Array("rasavec2".utf8)
  /// Files of version 1 differ in their checksum alone. They are read because vectors cost money, and written anew
  /// with the next vector.
  private static let oldMagic: [UInt8] = Array("rasavec1".utf8)
  static let headLength = 16
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
      bytes.count >= Self.headLength, Self.isWhole(bytes)
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

  private static func isWhole(_ bytes: [UInt8]) -> Bool {
    if bytes.starts(with: magic) { return bytes[8..<16] == checksum(bytes)[...] }
    guard bytes.starts(with: oldMagic) else { return false }
    let sum = oldChecksum(bytes)
    return (0..<8).allSatisfy {
      bytes[8 + $0] == UInt8(truncatingIfNeeded: sum >> (UInt64($0) * 8))
    }
  }

  /// In eight bytes, of which the last four are zero.
  private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    Self.bytes(Checksum.of(bytes, from: headLength)) + [0, 0, 0, 0]
  }

  private static func bytes(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  fileprivate static func number(_ bytes: [UInt8], at place: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (UInt32($1) * 8) }
  }
}
