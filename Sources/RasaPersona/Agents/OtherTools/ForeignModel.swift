import RasaCore
import RasaDocuments

/// Models as other tools name them.
enum ForeignModel {
  /// Our names for others' providers; nil for one that is nothing of ours.
  static func engine(_ provider: String, _ engines: Set<String>) -> String? {
    let name = provider.lowercased()
    if engines.contains(name) { return name }
    let others = [
      "google-vertex": "gemini", "google-ai": "gemini", "gemini-cli": "gemini", "vertex": "gemini",
      "claude": "anthropic", "azure_openai": "openai",
    ]
    return others[name].flatMap { engines.contains($0) ? $0 : nil }
  }

  /// `anthropic/claude-…` is one of that engine; `vendor/model` of a reseller is a name.
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

  /// Menus write names for people, such as `Claude Sonnet 4.5 (copilot)` for `claude-sonnet-4.5`; nil
  /// for what names no model.
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
