import RasaCore
import RasaDocuments
import RasaSQLite

extension Database {
  /// The number of a word, which is inserted if it is new.
  func word(_ text: String) throws -> Int64 {
    if let number = remembered[text] { return number }
    let known = try first("SELECT number FROM words WHERE text = ?", .text(text)) {
      $0.integer(0)
    }
    if known == nil { try run("INSERT INTO words (text) VALUES (?)", .text(text)) }
    let number = known ?? lastInsertedRow
    if remembered.count >= Self.wordsRemembered { remembered = [:] }
    remembered[text] = number
    return number
  }

  /// The number of a user's or persona's name. It is not remembered: another process may have forgotten that user.
  func name(_ text: String) throws -> Int64 {
    let known = try first("SELECT number FROM words WHERE text = ?", .text(text)) { $0.integer(0) }
    if let known { return known }
    try run("INSERT INTO words (text) VALUES (?)", .text(text))
    return lastInsertedRow
  }

  /// Deletes a word that nothing refers to.
  func deleteWord(_ number: Int64) throws {
    let uses = [
      "runs": ["user", "persona", "persona_digest"], "items": ["user", "persona", "speaker"],
      "lines": ["kind", "key"], "approvals": ["effect"], "shelves": ["user", "persona"],
      "vector_cells": ["user", "persona"], "vector_progress": ["user", "persona"],
      "performance": ["agent", "user", "category", "finish", "model", "weights"],
      "performance_sums": ["agent", "category", "model", "weights"],
      "node_sums": ["agent", "name"],
      "evaluations": ["name", "model"], "decisions": ["user"],
      "reservations": ["effect", "persona", "provider", "model", "outcome", "price"],
    ]
    for (table, columns) in uses {
      let condition = columns.map { "\($0) = ?1" }.joined(separator: " OR ")
      let isUsed = try first("SELECT 1 FROM \(table) WHERE \(condition) LIMIT 1", .integer(number))
      {
        _ in true
      }
      if isUsed == true { return }
    }
    try run("DELETE FROM words WHERE number = ?", .integer(number))
    remembered = [:]
  }

  private static let wordsRemembered = 1000

  func text(ofWord number: Int64) throws -> String? {
    try first("SELECT text FROM words WHERE number = ?", .integer(number)) { $0.text(0) }
  }

  func word(orNull text: String?) throws -> SQLValue {
    try text.map { .integer(try word($0)) } ?? .null
  }

  /// Writes the bodies of the content that are not stored yet, and returns its value for a column: the number of
  /// its body, or its bytes.
  func keep(_ content: Content) throws -> SQLValue {
    var numbers: [Int: Int64] = [:]
    if content.isReference, let whole = content.root.references.first {
      return .integer(try number(of: whole.body, in: content, &numbers))
    }
    return .bytes(try stored(content.root, of: content, &numbers))
  }

  /// A stored body has all of its parts, so these are not looked up.
  private func number(
    of index: Int, in content: Content, _ numbers: inout [Int: Int64]
  ) throws -> Int64 {
    if let number = numbers[index] { return number }
    let body = content.bodies[index]
    let digest = SQLValue.bytes(body.digest)
    var number = try first("SELECT number FROM bodies WHERE digest = ?", digest) { $0.integer(0) }
    if number == nil {
      let bytes = try stored(body, of: content, &numbers)
      try run(
        "INSERT INTO bodies (digest, bytes) VALUES (?, ?)", digest, .bytes(compressed(bytes)))
      number = lastInsertedRow
    }
    numbers[index] = number
    return number ?? 0
  }

  /// Compressing shorter ones saves too little.
  private static let shortestCompressed = 160

  /// The bytes for the file: compressed after a tag and the length, if that is shorter.
  private func compressed(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= Self.shortestCompressed, bytes.first != ContentTag.base64,
      let short = deflate.compress(bytes, limit: bytes.count * 7 / 8)
    else { return bytes }
    var result: [UInt8] = [ContentTag.compressed]
    result.appendNumber(UInt64(bytes.count))
    return result + short
  }

  /// The bytes with the numbers of bodies in place of digests.
  private func stored(
    _ body: Content.Body, of content: Content, _ numbers: inout [Int: Int64]
  ) throws -> [UInt8] {
    if body.references.isEmpty { return body.bytes }
    var bytes: [UInt8] = []
    var copied = 0
    for reference in body.references {
      bytes += body.bytes[copied..<reference.offset]
      let number = try number(of: reference.body, in: content, &numbers)
      bytes.appendNumber(UInt64(bitPattern: number))
      copied = reference.offset + ContentDigest.digestLength
    }
    bytes += body.bytes[copied...]
    return bytes
  }

  /// The value of a text for a column: a long text is a body, which is stored once.
  func keep(_ text: StoredText) throws -> SQLValue {
    switch text {
    case .short(let text): .text(text)
    case .long(let content): try keep(content)
    }
  }
}

/// A text that is to be written to a column.
enum StoredText: Sendable {
  case short(String)
  case long(Content)

  init(_ text: String) {
    self =
      text.utf8.count < Content.shortestBody
      ? .short(text) : .long(Content(.string(text), asBody: true))
  }
}

/// Reads and verifies bodies, each of them once.
final class BodyReader {
  private let database: Database
  private var known: [Int64: KnownBody] = [:]
  /// No stricter than what may be written.
  private static let limits = JSONLimits(depth: 500, bytes: .max)

  init(_ database: Database) { self.database = database }

  func body(_ number: Int64, depth: Int = 0) throws -> KnownBody {
    if let body = known[number] { return body }
    let row = try database.first(
      "SELECT digest, bytes FROM bodies WHERE number = ?", .integer(number)
    ) { (digest: $0.value(0), bytes: $0.bytes(1)) }
    guard let row else { throw DamagedContent() }
    let body: KnownBody
    switch row.digest {
    case .bytes(let digest):
      let (value, digested) = try read(ContentReader.expanded(row.bytes), depth: depth)
      guard ContentDigest.of(digested) == digest else { throw DamagedContent() }
      body = KnownBody(value: value, digest: digest)
    case .text(let digest):
      guard Digest.sha256(row.bytes) == digest else { throw DamagedContent() }
      body = KnownBody(value: try Self.value(ofJSON: row.bytes), digest: [])
    default: throw DamagedContent()
    }
    known[number] = body
    return body
  }

  func read(_ bytes: [UInt8], depth: Int = 0) throws -> (value: Value, digested: [UInt8]) {
    try ContentReader.read(bytes, depth: depth) { number, depth in
      guard depth <= deepestContent else { throw DamagedContent() }
      return try body(number, depth: depth)
    }
  }

  /// A text from a column that was written as `StoredText`.
  func text(_ column: SQLValue) throws -> String {
    switch column {
    case .text(let text): return text
    case .integer(let number):
      guard case .string(let text) = try body(number).value else { throw DamagedContent() }
      return text
    default: throw DamagedContent()
    }
  }

  static func value(ofJSON bytes: [UInt8]) throws -> Value {
    if bytes.isEmpty { return .null }
    do {
      return try JSON.parse(bytes, limits: limits)
    } catch { throw DamagedContent() }
  }
}
