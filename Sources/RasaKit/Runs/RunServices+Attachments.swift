package import RasaCore
package import RasaEngine
import RasaModels
import RasaSystem

extension RunServices {
  /// What the attachments of a run add to it at most, in words: every operator that is shown them, and
  /// every loop, counts.
  package func attachmentCost(
    _ graph: Graph, _ plan: RunPlan, onWarning: @escaping @Sendable (Warning) -> Void
  ) async throws -> String {
    let gate = try gate(plan.gate, onWarning: onWarning, onlyEstimates: true)
    var start = start(graph, plan)
    let calls = graph.rehearse(start, profile: plan.gate.profile)
    start.attachments = []
    let others = graph.rehearse(start, profile: plan.gate.profile)
    var tokens: Int64 = 0
    var more = Money.zero
    var isKnown = true
    var isBounded = true
    var models: [String] = []
    for ((call, with), without) in zip(
      zip(calls, try await gate.costs(of: calls)), try await gate.costs(of: others))
    where !call.request.attachments.isEmpty {
      let estimate = with.estimate
      tokens += estimate.attachmentTokens.reduce(0, +) * Int64(call.most)
      more += with.total - without.total
      isKnown = isKnown && estimate.isPriceKnown
      isBounded = isBounded && estimate.isBounded
      let name = "\(estimate.provider):\(estimate.model)"
      if !models.contains(name) { models.append(name) }
    }
    guard !models.isEmpty else { return "no operator reads it" }
    let money = isKnown ? ", \(more)" : ", price unknown"
    return "\(isBounded ? "at most" : "about") \(tokens) tokens\(money) with "
      + models.joined(separator: ", ")
  }
}

extension Attachment {
  /// `photo.png (PNG image, 640×480, 12 kB)`.
  package var line: String { "\(name) (\(summary), \(byteCountText(Int(clamping: byteCount))))" }
}
