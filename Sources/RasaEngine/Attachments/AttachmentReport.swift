package import RasaCore

/// What a result says about something that was attached.
package struct AttachmentReport: Sendable, Hashable {
  package var attachment: Attachment
  /// What it was reckoned at where it was sent last; nil where no model was shown it.
  package var tokens: Int64?

  package var value: Value {
    var object = attachment.facts
    object["tokens"] = tokens.map { .int($0) } ?? .null
    return .object(object)
  }
}

extension [Attachment] {
  /// - Parameter answers: of the run, in order.
  func reports(_ answers: [ModelAnswer]) -> [AttachmentReport] {
    var tokens = answers.last { $0.attachmentTokens.count == media.count }?.attachmentTokens ?? []
    tokens.reverse()
    return map { attachment in
      AttachmentReport(
        attachment: attachment, tokens: attachment.kind == .text ? nil : tokens.popLast())
    }
  }
}
