import RasaCore
import RasaDocuments
import RasaEngine

/// Tool calls while their pieces arrive.
struct ToolCallDrafts: Sendable, Hashable {
  /// No model means to call more tools at once, or to say more to one.
  private static let mostCalls = 256
  private static let longestArguments = 4 << 20

  private struct Draft: Sendable, Hashable {
    var index: Int64?
    var id: String
    var name: String
    var arguments = ""
    var signature: String?
  }

  private var drafts: [Draft] = []
  private var argumentBytes = 0
  /// What made-up identifiers begin with.
  private let prefix: String

  init(prefix: String) { self.prefix = prefix }

  var isEmpty: Bool { drafts.isEmpty }

  func has(index: Int64) -> Bool { drafts.contains { $0.index == index } }

  /// A piece of the call with that index. Servers that give none, or the same for all of their
  /// calls, begin another call with another identifier or name.
  mutating func add(
    index: Int64?, id: String?, name: String?, arguments: String, signature: String? = nil
  ) throws(Failure) {
    let id = id?.nonEmpty
    let name = name?.nonEmpty
    let known = drafts.lastIndex { draft in
      if let id, !draft.id.isEmpty, draft.id != id { return false }
      guard let index, let drafted = draft.index else { return true }
      return index == drafted
    }
    let continues = index != nil || (id == nil && name == nil)
    argumentBytes += arguments.utf8.count
    guard argumentBytes <= Self.longestArguments, drafts.count <= Self.mostCalls else {
      throw Failure(.provider, "the model makes more tool calls than one answer can have")
    }
    if let known, continues {
      if drafts[known].id.isEmpty, let id { drafts[known].id = id }
      if drafts[known].name.isEmpty, let name { drafts[known].name = name }
      drafts[known].arguments += arguments
      drafts[known].signature = signature ?? drafts[known].signature
    } else {
      drafts.append(
        Draft(
          index: index, id: id ?? "", name: name ?? "", arguments: arguments,
          signature: signature))
    }
  }

  /// A call that came whole.
  mutating func add(
    id: String?, name: String, arguments: Value, signature: String? = nil
  ) throws(Failure) {
    try add(
      index: Int64(drafts.count), id: id, name: name,
      arguments: arguments.string ?? arguments.json(), signature: signature)
  }

  /// The calls, whole. A call that the cap cut in the middle is left out.
  func calls(isCut: Bool) throws(ProviderProblem) -> [ToolCall] {
    var calls: [ToolCall] = []
    for (position, draft) in drafts.enumerated() {
      let isLast = position == drafts.count - 1
      guard !draft.name.isEmpty else {
        if isCut, isLast { break }
        throw ProviderProblem(.brokenStream, "the model asked for a tool without naming it")
      }
      let text = draft.arguments.trimmingBlanks
      let parsed = text.isEmpty ? Value.emptyObject : try? JSON.parse(text)
      let arguments = parsed == .null ? .emptyObject : parsed
      var call = ToolCall(
        id: draft.id.nonEmpty ?? MadeUpIdentifier.text(prefix, position), name: draft.name,
        arguments: arguments ?? .emptyObject, signature: draft.signature)
      if arguments?.object == nil {
        if isCut, isLast { break }
        // The model has been paid for and is told: asking it anew would cost as much again.
        (call.arguments, call.unreadable) = (.emptyObject, text)
      }
      calls.append(call)
    }
    return calls
  }

  /// Puts the calls into the progress, or what is wrong with them.
  func settle(_ progress: inout ChatProgress) {
    do throws(ProviderProblem) {
      progress.toolCalls = try calls(isCut: progress.finish == .length)
    } catch {
      if progress.problem == nil { progress.problem = error }
    }
    progress.settleFinish()
  }
}

/// What a call is known by whose provider gave no identifier. Providers that give none do not want
/// one back.
enum MadeUpIdentifier {
  private static let mark = "call_rasa_"

  static func text(_ prefix: String, _ position: Int) -> String { "\(mark)\(prefix)_\(position)" }

  static func isOne(_ id: String) -> Bool { id.hasPrefix(mark) }
}

extension WireCall {
  /// Tells the calls of this answer from those of the conversation before it.
  var callPrefix: String { String(request.messages.count) }
}

extension [ChatMessage] {
  /// The name of the tool that a `tool` message answers for: that of the nearest call before it.
  func toolName(answeredAt index: Int) -> String {
    guard indices.contains(index), let id = self[index].toolCallID else { return "" }
    for message in self[..<index].reversed() {
      if let call = message.toolCalls.first(where: { $0.id == id }) { return call.name }
    }
    return ""
  }
}
