import RasaEngine
import RasaPersona

/// What an adapter puts on the wire, chosen by the gate.
struct WireCall: Sendable {
  var request: ModelRequest
  var model: String
  /// The most tokens the answer may have, reasoning included; nil leaves it to the server.
  var cap: Int64?
  /// How much the model is to think, where it can.
  var effort: ReasoningEffort?
  /// The model reasons; some dialects show it only when asked to.
  var isThinking = false
  var inputEstimate: Int64
  var quirks: WireQuirks
  /// How closely the model is to look at images; nil leaves it to the server.
  var imageDetail: ProviderDefinition.ImageDetail? = nil
  /// How many tokens of input and output the model takes together, where that is known.
  var context: Int64? = nil
  /// How long the answer is likely to be, where a server wants to know how much has to fit.
  var expectedOutput: Int64 = 2_048
  /// The cap that is sent where the answer has none and the server requires one.
  var requiredCap: Int64? = nil
}

struct WireRequest: Sendable {
  /// Below the version of the interface, with a query of its own where it needs one.
  var path: String
  var body: [UInt8]
}
