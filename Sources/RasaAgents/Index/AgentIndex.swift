import RasaCore
import RasaSystem

/// The result of reading a set of roots, cached in a file of the user.
///
/// It is used only if its checksum is right and it was written by the same program with the same
/// way of reading; otherwise everything is read again, silently. Each file's stamp says whether its
/// entry is still valid. If two programs write it at once, the later one wins.
struct AgentIndex: Sendable {
  /// The user's folder for disposable state.
  let folder: String
  private let roots: [AgentRoot]
  /// The key that must match for the contents to mean the same.
  private let meaning: String

  init(folder: String, roots: [AgentRoot], reading: String) {
    self.folder = folder
    self.roots = roots
    let program = FileSystem.status(of: "/proc/self/exe")?.stamp
    let places = roots.map { "\($0.path)\n\(FileSystem.absolute($0.path))" }
    meaning = (["\(program?.size ?? 0) \(program?.modified ?? 0)", reading] + places)
      .joined(separator: "\n")
  }

  var path: String {
    let places = roots.map { "\($0.path)\n\(FileSystem.absolute($0.path))\n" }.joined()
    return "\(folder)/\(Self.prefix)\(Digest.sha256(places).prefix(16))\(Self.suffix)"
  }

  static let prefix = "agents-"
  static let suffix = ".index"
  private static let magic: [UInt8] = Array("rasaidx6".utf8)
  private static let headLength = 16
  private static let largest = 1 << 30

  // MARK: Reading

  /// The parts of the file, each readable by itself; nil if there is no valid file.
  func open() -> Contents? {
    guard let bytes = try? FileSystem.readIfPresent(path, limit: Self.largest),
      bytes.count >= Self.headLength, bytes.starts(with: Self.magic),
      UInt64(Checksum.of(bytes, from: Self.headLength)) == Self.number(bytes[8..<16])
    else { return nil }
    var reader = IndexReader(bytes, Self.headLength..<bytes.count)
    var meaning = ""
    reader.code(&meaning)
    var count: UInt64 = 0
    reader.code(&count)
    var lengths: [UInt64] = []
    reader.code(&lengths, empty: 0) { $0.code(&$1) }
    guard !reader.isDamaged, meaning == self.meaning else { return nil }
    var ranges: [Range<Int>] = []
    var place = reader.place
    for length in lengths {
      guard length <= UInt64(bytes.count - place) else { return nil }
      ranges.append(place..<place + Int(length))
      place += Int(length)
    }
    return Contents(bytes: bytes, ranges: ranges, count: Int(clamping: count), roots: roots)
  }

  struct Contents: Sendable {
    fileprivate let bytes: [UInt8]
    fileprivate let ranges: [Range<Int>]
    let count: Int
    fileprivate let roots: [AgentRoot]

    var parts: Int { ranges.count }

    /// The records of one part; none if anything is wrong with them.
    func records(ofPart part: Int) -> [SharedAgentRecord] {
      var reader = IndexReader(bytes, ranges[part])
      var records: [AgentRecord] = []
      reader.code(&records, empty: AgentRecord(.none)) { reader, record in
        reader.code(&record) { roots.indices.contains($0) ? roots[$0].origin : nil }
      }
      return reader.isDamaged || !reader.isAtEnd ? [] : records.map(SharedAgentRecord.init)
    }
  }

  // MARK: Writing

  /// If it cannot be written, there is none, which costs only time.
  func write(_ records: [SharedAgentRecord]) {
    let size = 256
    let parts = Workers.map((records.count + size - 1) / size) { part in
      var writer = IndexWriter()
      var slice = records[part * size..<min((part + 1) * size, records.count)].map(\.record)
      writer.code(&slice, empty: AgentRecord(.none)) { writer, record in
        writer.code(&record) { _ in "" }
      }
      return writer.bytes
    }
    var head = IndexWriter()
    var meaning = meaning
    head.code(&meaning)
    var count = UInt64(records.count)
    head.code(&count)
    var lengths = parts.map { UInt64($0.count) }
    head.code(&lengths, empty: 0) { $0.code(&$1) }
    var bytes = Self.magic + Array(repeating: 0, count: 8) + head.bytes
    bytes.reserveCapacity(bytes.count + parts.reduce(0) { $0 + $1.count })
    for part in parts { bytes += part }
    let checksum = UInt64(Checksum.of(bytes, from: Self.headLength))
    for place in 0..<8 {
      bytes[8 + place] = UInt8(truncatingIfNeeded: checksum >> (UInt64(place) * 8))
    }
    let isNew = !FileSystem.exists(path)
    do throws(Failure) {
      try FileSystem.makeFolder(folder)
      try FileSystem.write(bytes, to: path, lasting: false)
      if isNew { try removeOldOnes() }
    } catch {
      return
    }
  }

  /// Every working folder can have an index, and folders come and go.
  private func removeOldOnes() throws(Failure) {
    let entries = try FileSystem.survey(folder, limit: 1_000_000) { _ in true }
    var kept: [(path: String, modified: Int64)] = []
    for entry in entries {
      guard let name = entry.name, name.hasPrefix(Self.prefix), entry.kind == .file,
        let stamp = entry.stamp
      else { continue }
      let path = "\(folder)/\(name)"
      if name.hasSuffix(Self.suffix) { kept.append((path, stamp.modified)) }
      // Left behind by a program that was killed while writing.
      let hour: Int64 = 3_600_000_000_000
      if name.hasSuffix(".tmp"), stamp.modified < FileSystem.clock() - hour {
        try FileSystem.removeFile(path)
      }
    }
    kept.sort { $0.modified > $1.modified }
    for old in kept.dropFirst(Self.mostFiles) { try FileSystem.removeFile(old.path) }
  }

  static let mostFiles = 64

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension AgentFile {
  /// Filled in later.
  fileprivate static let none = AgentFile(
    path: "", root: 0, origin: "", stem: "", isConfig: false, stamp: shippedStamp)
}
