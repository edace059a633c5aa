import RasaCore

/// How long servers are waited for, and how much is taken from them.
package struct MCPLimits: Sendable {
  /// Seconds in which the first request has to be answered by a server of the stateless era. Others may never
  /// answer it.
  package var probe = 2.0
  /// Seconds for a server to start and to introduce itself.
  package var start = 30.0
  /// Seconds for a page of a list.
  package var list = 30.0
  /// Seconds for all pages of it.
  package var listing = 120.0
  /// Seconds before a use asks for the list again, unless the server says that it has changed.
  package var between = 30.0
  /// Seconds without a sign of life after which a use is given up, where its declaration sets no time.
  package var silence = 120.0
  /// The time for a server to end by itself once its input is closed, and again after it was asked to.
  package var ending = Duration.seconds(2)
  /// The most bytes of one message.
  package var message = 16 << 20
  /// The most bytes that may arrive without an answer among them.
  package var unanswered = 64 << 20
  /// The most lines without a message among them, which careless programs print.
  package var garbageLines = 1_000
  /// Objects and arrays inside each other.
  package var depth = 128
  package var pages = 1_000
  package var tools = 10_000
  /// The most bytes of all descriptions and schemas of a server.
  package var definitions = 32 << 20
  /// The most requests in a row by which one use may ask for input.
  package var rounds = 10
  /// How often in a row a server may end before it is no longer started.
  package var failures = 3
  /// Seconds after which it is tried again nevertheless.
  package var pause = 30.0

  package init() {}
}

/// The revisions of the protocol that rasa speaks, the newest first.
package enum MCPVersion {
  /// Stateless: each request says which revision it follows.
  package static let modern = ["2026-07-28"]
  /// Those that begin with `initialize`.
  package static let legacy = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]

  /// Its HTTP is another one than that of the others.
  static let withoutStreams = "2024-11-05"

  static var all: String { listed(modern + legacy, "and") }
}
