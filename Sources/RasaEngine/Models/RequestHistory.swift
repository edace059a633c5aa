package import RasaCore

/// Where the conversation so far stands in a request, so that the gate can leave out its oldest turns for a model whose
/// window is too small for all of them. The messages contain all turns; which of them fit is known once a model is chosen.
package struct RequestHistory: Sendable, Hashable {
  package enum Place: Sendable, Hashable {
    /// Two messages for each turn, the first of them at this index.
    case messages(from: Int)
    /// Lines in the text of one message, once at each of these offsets. `bytes` is the length of the whole text: a hook
    /// may have rewritten it, and then nothing can be cut from it.
    case lines(message: Int, offsets: [Int], bytes: Int)
  }

  /// The name of the session.
  package var session: String?
  package var place: Place
  /// For lines: the length of each turn in bytes. For messages their number counts only.
  package var lengths: [Int]
  /// How many turns of the session are older than these.
  package var earlier: Int
  /// What stands for turns that are left out, if there is one.
  package var summary: ConversationSummary?

  package init(
    session: String?, place: Place, lengths: [Int], earlier: Int,
    summary: ConversationSummary? = nil
  ) {
    self.session = session
    self.place = place
    self.lengths = lengths
    self.earlier = earlier
    self.summary = summary
  }

  package var count: Int { lengths.count }
}

/// What a model wrote about the older turns of a conversation.
package struct ConversationSummary: Sendable, Hashable {
  package var text: String
  /// How many turns it covers, from the first of the session on.
  package var turns: Int
  /// The run of the last turn that it covers.
  package var upTo: String

  package init(text: String, turns: Int, upTo: String) {
    self.text = text
    self.turns = turns
    self.upTo = upTo
  }
}

extension ConversationSummary {
  package init?(_ value: Value) {
    guard let text = value["text"].string, let turns = value["turns"].int,
      let upTo = value["up_to"].string
    else { return nil }
    self.init(text: text, turns: Int(clamping: turns), upTo: upTo)
  }

  package var value: Value {
    ["text": .string(text), "turns": .int(Int64(turns)), "up_to": .string(upTo)]
  }
}

/// What of a conversation, or of the results of tools, was left out of a request because the model's window has no room
/// for it.
package struct HistoryCut: Sendable, Hashable {
  package var session: String?
  /// Turns that are shown whole or shortened.
  package var kept: Int
  /// Turns that are left out.
  package var turns: Int
  /// About how many tokens these have, as far as they were read at all.
  package var tokens: Int64
  /// Of the newest turn, which alone is longer than the room, this much is missing.
  package var shortenedBytes: Int
  /// A summary stands for the turns that are left out, up to this many of them.
  package var summarised: Int
  /// Of so many results of tools only the beginning is shown, and this much is missing.
  package var shortenedResults = 0
  package var resultBytes = 0
  /// `provider:model`.
  package var model: String
  package var window: Int64

  package init(
    session: String?, kept: Int, turns: Int, tokens: Int64, shortenedBytes: Int, summarised: Int,
    model: String, window: Int64
  ) {
    self.session = session
    self.kept = kept
    self.turns = turns
    self.tokens = tokens
    self.shortenedBytes = shortenedBytes
    self.summarised = summarised
    self.model = model
    self.window = window
  }
}

extension HistoryCut {
  /// Reads what an intent keeps of it; nil where nothing was left out.
  init?(_ body: Value, model: String) {
    guard let turns = body["turns"].int else { return nil }
    self.init(
      session: body["session"].string, kept: Int(clamping: body["kept"].int ?? 0),
      turns: Int(clamping: turns), tokens: body["tokens"].int ?? 0,
      shortenedBytes: Int(clamping: body["shortened"].int ?? 0),
      summarised: Int(clamping: body["summarised"].int ?? 0), model: model,
      window: body["window"].int ?? 0)
    shortenedResults = Int(clamping: body["results"].int ?? 0)
    resultBytes = Int(clamping: body["result_bytes"].int ?? 0)
  }

  var value: Value {
    var body: ValueObject = [
      "turns": .int(Int64(turns)), "tokens": .int(tokens), "kept": .int(Int64(kept)),
      "window": .int(window),
    ]
    if let session { body["session"] = .string(session) }
    if shortenedBytes > 0 { body["shortened"] = .int(Int64(shortenedBytes)) }
    if summarised > 0 { body["summarised"] = .int(Int64(summarised)) }
    if shortenedResults > 0 {
      body["results"] = .int(Int64(shortenedResults))
      body["result_bytes"] = .int(Int64(resultBytes))
    }
    return .object(body)
  }
}

/// The turns of a session that a run sees, as its context has them.
package enum ConversationContext {
  /// No more tokens of history than this are shown to any model: a long window is paid for with every question.
  package static let mostTokens: Int64 = 128_000
  /// Few texts have more bytes than this for a token, so that more than this need not be read.
  package static let bytesPerToken: Int64 = 4

  /// The context for a journal: turns in groups that end where the name of a run says so. As the groups of
  /// an earlier run are the same, the store has them already, and a run adds a few turns and not all of them.
  package static func grouped(_ context: Value) -> Value {
    guard var object = context.object, let turns = object["session"]?.array, turns.count > 16,
      turns.allSatisfy({ $0["run"].string != nil })
    else { return context }
    var groups: [Value] = []
    var group: [Value] = []
    for turn in turns {
      group.append(turn)
      if endsGroup(turn["run"].string ?? "") {
        groups.append(.array(group))
        group = []
      }
    }
    if !group.isEmpty { groups.append(.array(group)) }
    object["session"] = .array(groups)
    return .object(object)
  }

  /// The turns again, whether in groups or as earlier versions wrote them.
  package static func flat(_ context: Value) -> Value {
    guard var object = context.object, let groups = object["session"]?.array,
      groups.contains(where: { $0.array != nil })
    else { return context }
    object["session"] = .array(groups.flatMap { $0.array ?? [$0] })
    return .object(object)
  }

  /// One of sixteen names.
  private static func endsGroup(_ run: String) -> Bool {
    var hash: UInt32 = 2_166_136_261
    for byte in run.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return (hash >> 13) & 15 == 0
  }
}
