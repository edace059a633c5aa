import RasaCore

/// What a client of the stateless era says of itself with each request.
func modern(
  _ params: ValueObject = [:], capabilities: Value = .emptyObject, progress: Value? = nil,
  version: Value? = "2026-07-28"
) -> Value {
  var meta: ValueObject = ["io.modelcontextprotocol/clientCapabilities": capabilities]
  if let version { meta["io.modelcontextprotocol/protocolVersion"] = version }
  if let progress { meta["progressToken"] = progress }
  var params = params
  params["_meta"] = .object(meta)
  return .object(params)
}

let asks: Value = ["elicitation": .emptyObject]

extension ValueObject {
  /// The same request again, with answers.
  func with(_ result: Value, _ responses: Value) -> ValueObject {
    var params = self
    params["requestState"] = result["requestState"]
    params["inputResponses"] = responses
    return params
  }
}

func call(_ tool: String, _ input: String) -> ValueObject {
  ["name": .string(tool), "arguments": ["input": .string(input)]]
}

extension Value {
  /// The texts of a result of a tool.
  var texts: [String] { self["content"].array?.compactMap { $0["text"].string } ?? [] }
}
