import RasaCore

/// A model as a provider lists it.
struct ListedModel: Sendable, Hashable {
  var name: String
  /// Ollama passes it on to a cloud, which is not free.
  var isRemote: Bool

  static func read(_ list: Value) -> [ListedModel] {
    let entries = list["models"].array ?? list["data"].array ?? list.array ?? []
    return entries.compactMap { entry in
      guard var name = (entry["name"].string ?? entry["id"].string)?.nonEmpty else { return nil }
      // Gemini lists all that it has, also what embeds or paints.
      if let methods = entry["supportedGenerationMethods"].array {
        guard methods.contains("generateContent") else { return nil }
        if name.hasPrefix("models/") { name.removeFirst(7) }
      }
      let isRemote = entry["remote_host"].string?.nonEmpty ?? entry["remote_model"].string?.nonEmpty
      return ListedModel(name: name, isRemote: isRemote != nil)
    }
  }

  /// Models that cannot chat stand in the same lists.
  var canChat: Bool {
    let name = name.lowercased()
    let others = ["rerank", "whisper", "tts-", "dall-e", "moderation", "bge-", "all-minilm"]
    return !name.hasBytes("embed") && !others.contains { name.hasPrefix($0) }
  }
}
