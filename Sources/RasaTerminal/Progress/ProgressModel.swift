package import RasaCore

/// What is running, and its display: one line per operator. A value, so that every state of it can
/// be tested without a terminal or a clock.
package struct ProgressModel: Sendable {
  package struct Operator: Sendable, Hashable {
    package var frame: String
    package var name: String
    package var model: String?
    package var tokens: Int64 = 0
    package var cost: Money = .zero
    /// Nanoseconds of the monotonic clock.
    package var startedAt: UInt64
  }

  private var order: [String] = []
  private var running: [String: Operator] = [:]

  package init() {}

  package var isEmpty: Bool { order.isEmpty }

  package mutating func begin(_ id: String, frame: String, operator name: String, at now: UInt64) {
    if running[id] == nil { order.append(id) }
    running[id] = Operator(frame: frame, name: name, startedAt: now)
  }

  /// Nil fields stay unchanged; an unknown name has no effect.
  package mutating func update(
    _ id: String, model: String? = nil, tokens: Int64? = nil, cost: Money? = nil
  ) {
    guard var entry = running[id] else { return }
    if let model { entry.model = model }
    if let tokens { entry.tokens = tokens }
    if let cost { entry.cost = cost }
    running[id] = entry
  }

  /// What was running under the name.
  package mutating func end(_ id: String) -> Operator? {
    order.removeAll { $0 == id }
    return running.removeValue(forKey: id)
  }

  /// More lines than this would push the person's text off the screen.
  private static let mostLines = 8
  /// The lines to show now, each of which fits in the columns.
  package func lines(at now: UInt64, columns: Int, style: Style) -> [String] {
    let spinner = style.glyphs.spinner
    let step = Int(now / 100_000_000 % UInt64(spinner.count))
    var lines = order.prefix(Self.mostLines).compactMap { running[$0] }.map { entry in
      let text = style.glyphs.own(entry.text(at: now))
      let room = max(columns - 3, 1)
      return style.cyan(spinner[step]) + " "
        + fit(text, to: room, ellipsis: style.glyphs.ellipsis)
    }
    if order.count > Self.mostLines {
      let text = "  and \(order.count - Self.mostLines) more"
      lines.append(style.dim(fit(text, to: max(columns - 1, 1))))
    }
    return lines
  }
}

extension ProgressModel.Operator {
  /// `session_frame › critic_agent · gpt-4o-mini · 3.2 s · 120 tokens · $0.0012`
  package func text(at now: UInt64) -> String {
    var parts = [frame.isEmpty ? name : "\(frame) › \(name)"]
    if let model { parts.append(model) }
    let tenths = (now > startedAt ? now - startedAt : 0) / 100_000_000
    parts.append(tenths < 600 ? "\(tenths / 10).\(tenths % 10) s" : minutes(tenths / 10))
    if tokens > 0 { parts.append(tokens == 1 ? "1 token" : "\(tokens) tokens") }
    if cost > .zero { parts.append(cost.displayText) }
    return TerminalText.line(parts.joined(separator: " · "))
  }

  private func minutes(_ seconds: UInt64) -> String {
    "\(seconds / 60) min \(seconds % 60) s"
  }
}
