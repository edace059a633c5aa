package import RasaCore
package import RasaEngine

/// A request in a provider's own words, to be passed on byte for byte.
package struct ForwardedRequest: Sendable {
  /// Below the interface's version, such as `/chat/completions`.
  package var path: String
  package var body: [UInt8]
  /// Sent in addition to those that the provider requires.
  package var headers: [(name: String, value: String)]
  /// Whether the model that the body names is replaced, whatever it is.
  package var replacesModel = false

  package init(path: String, body: [UInt8], headers: [(name: String, value: String)] = []) {
    self.path = path
    self.body = body
    self.headers = headers
  }
}

/// A part of the response, in order.
package enum ForwardedPart: Sendable {
  case head(status: Int, headers: [(name: String, value: String)])
  case bytes([UInt8])
}

/// The outcome of a forwarded request.
package struct ForwardedAnswer: Sendable {
  package var provider: String
  package var model: String
  package var status: Int
  package var usage: Usage
  package var cost: Money
  package var isPriceKnown: Bool
  package var finish: FinishReason
  /// The provider's error, or why its answer cannot be read here; its bytes were passed on all the same.
  package var problem: String?
  package var fallback: ModelFallback?
  /// What attempts cost that were not passed on.
  package var wasted = Money.zero
}
