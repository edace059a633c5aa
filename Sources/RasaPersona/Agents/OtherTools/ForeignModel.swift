import RasaCore
import RasaDocuments

/// Model names of other tools.
enum ForeignModel {
  /// rasa's name of another tool's provider; nil for an unknown one.
  static func engine(_ provider: String, _ engines: Set<String>) -> String? {
    let name = provider.lowercased()
    if engines.contains(name) { return name }
    let others = [
      "google-vertex": "gemini", "google-ai": "gemini", "gemini-cli": "gemini", "vertex": "gemini",
      "claude": "anthropic", "azure_openai": "openai",
    ]
    return others[name].flatMap { engines.contains($0) ? $0 : nil }
  }

  /// `anthropic/claude-…` is a model of that engine; a reseller's `vendor/model` is a name.
  static func text(_ text: String, _ engines: Set<String>) -> String {
    guard let slash = text.firstIndex(ofByte: "/"),
      let engine = engine(String(text[..<slash]), engines)
    else { return text }
    return "\(engine):\(text[text.index(after: slash)...])"
  }

  static func text(provider: String?, model: String, _ engines: Set<String>) -> String {
    guard let engine = provider.flatMap({ engine($0, engines) }) else { return model }
    return "\(engine):\(model)"
  }

  /// Menus show display names, such as `Claude Sonnet 4.5 (copilot)` for `claude-sonnet-4.5`; nil
  /// for anything that is not a model.
  static func name(ofMenu text: String) -> String? {
    let words = text.lowercased().split(separator: "(").first.map(String.init) ?? ""
    let name = words.split(whereSeparator: \.isWhitespace).joined(separator: "-")
    return name != "auto" && isName(name) ? name : nil
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        (byte >= 0x61 && byte <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
          || "-._:/@".utf8.contains(byte)
      }
  }
}
