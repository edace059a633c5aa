import RasaCore
package import RasaEngine

/// How many tokens a text is likely to have for one model. A hold has to be enough whatever the text is (`TokenEstimate`);
/// what is sent has to fit and should leave out no more than it must, so this is nearer to the truth.
package struct TokenMeter: Sendable, Hashable {
  /// Around a message there are a few tokens of the model's chat template.
  static let perMessage: Int64 = 8
  private static let perRequest: Int64 = 32
  private static let leastDensity: Int64 = 150
  /// A token has at least one byte.
  private static let most: Int64 = 1_000
  private static let callsToTrust: Int64 = 5

  /// Tokens of a thousand bytes.
  private var prose: Int64
  private var dense: Int64
  private var foreign: Int64

  /// - Parameters:
  ///   - standing: what the provider's counts have shown of the model.
  ///   - scale: by how much its last refusal showed this to be wrong, in thousandths.
  package init(_ standing: ModelStanding? = nil, scale: Int64 = 1_000) {
    func density(_ kind: TextKind, usual: Int64) -> Int64 {
      let unseen = min(Self.most, usual * max(1_000, scale) / 1_000)
      guard let seen = standing?.counting[kind], seen.calls > 0, seen.densest > 0 else {
        return unseen
      }
      // The densest text so far is not the densest there is, least of all after a few calls.
      let eighths: Int64 = seen.distrusted > 0 ? 12 : seen.calls < Self.callsToTrust ? 10 : 9
      return min(max(min(seen.densest, Self.most) * eighths / 8, Self.leastDensity), Self.most)
    }
    prose = density(.prose, usual: 333)
    dense = density(.dense, usual: 500)
    foreign = density(.foreign, usual: 500)
  }

  func tokens(_ bytes: Int64, _ kind: TextKind) -> Int64 {
    let density =
      switch kind {
      case .prose: prose
      case .dense: dense
      case .foreign: foreign
      }
    let (product, overflow) = bytes.multipliedReportingOverflow(by: density)
    return overflow ? .max / 4 : (product + 999) / 1_000
  }

  /// Whatever kind of text it is, alone or as a part of another one.
  func mostTokens(of text: String) -> Int64 {
    max(
      tokens(Int64(text.utf8.count), .dense), tokens(Int64(text.utf8.count), .foreign),
      tokens(Int64(text.utf8.count), .prose))
  }

  func tokens(of text: String) -> Int64 {
    let size = RequestSize(text)
    return tokens(size.bytes, size.kind)
  }

  /// Of a whole request, without what is attached.
  func tokens(of size: RequestSize, messages: Int) -> Int64 {
    tokens(size.bytes, size.kind) + Int64(messages) * Self.perMessage + Self.perRequest
  }
}
