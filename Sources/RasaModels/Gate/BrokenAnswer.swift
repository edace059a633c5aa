import RasaCore
import RasaEngine

/// An answer whose stream broke after a part of it was shown where nothing can be taken back: in a pipe.
/// The next model continues it, so that the pipe holds one answer.
struct BrokenAnswer: Sendable, Hashable {
  /// What was shown.
  var text: String

  private static let wish =
    "Your answer broke off there. Go on exactly where it stops: repeat nothing, and say nothing about "
    + "the break."
  /// Fewer bytes that are the same on both sides are an accident of spelling.
  private static let shortestOverlap = 8

  func request(_ request: ModelRequest) -> ModelRequest {
    var request = request
    request.messages += [ChatMessage(.assistant, text), ChatMessage(.user, Self.wish)]
    return request
  }

  /// What of the rest is new: a model that begins again, or some words before the break, is not shown
  /// with these words twice.
  func new(in rest: String) -> String {
    if rest.utf8.starts(with: text.utf8) { return string(rest.utf8.dropFirst(text.utf8.count)) }
    var length = min(text.utf8.count, rest.utf8.count)
    while length >= Self.shortestOverlap {
      if text.utf8.suffix(length).elementsEqual(rest.utf8.prefix(length)) {
        return string(rest.utf8.dropFirst(length))
      }
      length -= 1
    }
    return rest
  }

  private func string(_ bytes: Substring.UTF8View) -> String { String(Substring(bytes)) }
}

/// The same while the rest arrives: what may still turn out to be a repetition waits.
struct BrokenAnswerRest: Sendable {
  private let answer: BrokenAnswer
  private var held = ""
  private var isDecided = false

  init(of answer: BrokenAnswer) { self.answer = answer }

  mutating func take(_ piece: String) -> String {
    guard !isDecided else { return piece }
    held += piece
    // Words that stand nowhere in what was shown repeat none of it, whatever follows them.
    guard !answer.text.hasBytes(held) else { return "" }
    guard !held.utf8.starts(with: answer.text.utf8) || held.utf8.count > answer.text.utf8.count
    else {
      return ""
    }
    return finish()
  }

  mutating func finish() -> String {
    isDecided = true
    defer { held = "" }
    return answer.new(in: held)
  }
}

/// What a caller is shown of one attempt, event by event.
struct AttemptDisplay: Sendable {
  private var announcement: FallbackAnnouncement
  private var rest: BrokenAnswerRest?
  /// All that was shown of the answer, that of broken attempts included.
  private(set) var text: String
  /// Whether anything of this attempt's answer was shown, its reasoning included.
  private(set) var hasShown = false

  init(announces: Bool, begun: BrokenAnswer?) {
    announcement = FallbackAnnouncement(isDue: announces)
    rest = begun.map { BrokenAnswerRest(of: $0) }
    text = begun?.text ?? ""
  }

  /// Whom to announce first, and the event as it is to be shown.
  mutating func show(_ event: ModelEvent) -> (announced: String?, event: ModelEvent?) {
    let name = announcement.name(at: event)
    switch event {
    case .restarted, .retracted: text = ""
    case .text, .reasoning: hasShown = true
    default: break
    }
    guard case .text(let piece) = event else { return (name, event) }
    let new = rest?.take(piece) ?? piece
    text += new
    return (name, new.isEmpty ? nil : .text(new))
  }

  /// What is left to show of an attempt that was answered.
  mutating func finish() -> (announced: String?, event: ModelEvent?) {
    let new = rest?.finish() ?? ""
    rest = nil
    text += new
    return (announcement.name(), new.isEmpty ? nil : .text(new))
  }
}
