package import RasaCore
import RasaPersona

extension Graph {
  /// The day, and session history and working notes, for personas that have frames of those kinds.
  package func context(
    of start: RunStart, at now: Timestamp, in time: TimeSource, _ options: RunOptions,
    _ memory: any MemoryStore, _ gate: any ModelGate
  ) async throws -> Value {
    let day = time.localDay(now)
    let kinds = Set(frames.map(\.kind))
    var conversation = SeenConversation()
    var notes: [Value] = []
    if let session = start.sessionID {
      if kinds.contains(.session) {
        conversation = try await self.conversation(session, of: start, options, memory, gate)
      }
      if kinds.contains(.shortTerm) {
        let bounds = persona.memory.notes
        let kept = try await memory.notes(of: session, limit: bounds.items ?? options.notes)
        notes = bounds.lines(of: kept, at: now).map { ["text": .string($0)] }
      }
    }
    let turns = conversation.turns.map { turn -> Value in
      [
        "input": .string(turn.input), "output": .string(turn.output),
        "run": .string(turn.run.text),
      ]
    }
    var context: ValueObject = [
      "session": .array(turns), "notes": .array(notes), "memories": [],
      "today": .string(day.description),
    ]
    if conversation.earlier > 0 { context["earlier_turns"] = .int(Int64(conversation.earlier)) }
    if conversation.shown < turns.count { context["shown_turns"] = .int(Int64(conversation.shown)) }
    if let summary = conversation.summary { context["summary"] = summary.value }
    return .object(context)
  }

  /// So much of a conversation fits any window, and is read without asking whose it is.
  private static let shortConversation = 8 << 10

  /// As many of the newest turns as the model that will be asked may have room for.
  private func conversation(
    _ session: SessionID, of start: RunStart, _ options: RunOptions, _ memory: any MemoryStore,
    _ gate: any ModelGate
  ) async throws -> SeenConversation {
    let short = try await memory.conversation(of: session, bytes: Self.shortConversation)
    guard short.earlier > 0 else {
      return SeenConversation(turns: short.turns, shown: short.turns.count)
    }
    var most: Int64 = 0
    for node in nodes where node.definition.reads.contains(where: { $0.overlaps(.conversation) }) {
      let step = Step(frame: frames[node.frame].name, visit: 1, operatorName: node.definition.name)
      let context = callContext(
        start, node.definition, node.definition.effect("call", in: step), profile: options.profile)
      most = max(most, await gate.window(for: context) ?? options.historyTokens)
    }
    let room = min(most, options.historyTokens)
    let all = try await memory.conversation(
      of: session,
      bytes: max(Self.shortConversation, Int(clamping: room * ConversationContext.bytesPerToken)))
    var seen = SeenConversation(turns: all.turns, earlier: all.earlier, shown: all.turns.count)
    // A token of most texts has two bytes and more, so that these surely have room.
    seen.shown = Conversation.count(of: all.turns, within: Int(clamping: room * 2))
    if persona.memory.summary != nil { seen.summary = try await memory.summary(of: session) }
    return seen
  }
}
