import RasaCore

/// One line of control through the frames: the main one, or a branch of a parallel group.
///
/// Its items are what is known to come: the rest of this visit, and what follows while nothing can
/// lead elsewhere. Operators further along may start early; they are applied strictly in order.
struct Lane: Sendable {
  enum Item: Sendable {
    case enter(frame: Int, visit: Int)
    case run(Slot)
    case leave(frame: Int)
  }

  struct Slot: Sendable {
    enum Phase: Sendable {
      /// Something that it reads is still to be written, or the run may yet go elsewhere.
      case waiting
      /// It may start.
      case ready
      /// It has been handed out. What is folded does not depend on this.
      case running
      /// Done, to be applied when its turn comes.
      case done(OperatorOutcome)
      /// A person looks at something; `pending` are updates that count only after it.
      case reviewing(Review, isAsked: Bool)
    }
    var node: Int
    var step: Step
    var phase: Phase = .waiting
    /// Warnings about comparisons that its conditions could not make, emitted when its turn comes.
    var warnings: [String] = []

    var isDone: Bool { if case .done = phase { true } else { false } }
  }

  struct Review: Sendable {
    var subject: StatePath
    /// The operator's own output, which a review before it counts holds back.
    var pending: [Update]?
  }

  var items: [Item] = []
  var head = 0
  /// The frame that this lane is a branch of; nil for the main lane.
  var branchOf: Int?
  /// Branch lanes that this lane waits for.
  var openBranches = 0
  /// Texts written in the current short-term visit, to become working notes.
  var noted: [Update] = []
  var isOver = false
  /// Frames that are left out until the one is entered again that led back.
  var skipping: Set<Int> = []
  var skipUntil: Int?
  /// Whether the branches of the frame at the end of this visit have been started.
  var hasForked = false

  var isEmpty: Bool { head == items.count }

  mutating func popFirst() {
    head += 1
    if head == items.count {
      items.removeAll(keepingCapacity: true)
      head = 0
    }
  }

  mutating func clear() {
    items.removeAll(keepingCapacity: true)
    head = 0
  }
}
