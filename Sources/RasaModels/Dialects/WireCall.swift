import RasaEngine
import RasaPersona

/// What an adapter puts on the wire, chosen by the gate.
struct WireCall: Sendable {
  var request: ModelRequest
  var model: String
  /// The most tokens the answer may have, reasoning included.
  var cap: Int64
  /// How much the model is to think, where it can.
  var effort: ReasoningEffort?
  /// The model reasons; some dialects show it only when asked to.
  var isThinking = false
  var inputEstimate: Int64
  var quirks: WireQuirks
}

struct WireRequest: Sendable {
  /// Below the version of the interface, with a query of its own where it needs one.
  var path: String
  var body: [UInt8]
}
